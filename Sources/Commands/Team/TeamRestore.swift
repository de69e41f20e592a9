package import Platform

/// `errand team restore`: takes a deletion back.
package struct TeamRestore: Verb {
    package static let words = ["team", "restore"]
    package static let usage = "TEAM [--json]"
    package static let summary = "Take the deletion of a team back; cancelled jobs stay cancelled."
    package static let options = [TeamOptions.json]

    private let arguments: Arguments
    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        named = try arguments.exactly("TEAM")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(named)
        let document = try await client.session.post(team.path + "/restore")
        return TeamOutput.tell("\(team.shown) is back", document, arguments, terminal)
    }
}
