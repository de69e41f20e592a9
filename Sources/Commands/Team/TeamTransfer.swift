import Bytes
package import Platform

/// `errand team transfer`: hands a team over.
package struct TeamTransfer: Verb {
    package static let words = ["team", "transfer"]
    package static let usage = "MEMBER [--team TEAM] [--yes] [--json]"
    package static let summary = "Make a member owner of a team in your place; you stay as admin."
    package static let options = [TeamOptions.team, Confirmation.option, TeamOptions.json]

    private let arguments: Arguments
    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        named = try arguments.exactly("MEMBER")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(arguments.value(TeamOptions.team.name))
        let heir = try await client.member(named, at: team.path)
        try await Confirmation.demand("Hand \(team.shown) over to \(heir.shown)?", arguments)
        let body = JSONValue.object(JSONObject([("user_id", .string(heir.id))]))
        let document = try await client.session.post(team.path + "/transfer", body)
        return TeamOutput.tell("\(heir.shown) owns \(team.shown) now", document, arguments, terminal)
    }
}
