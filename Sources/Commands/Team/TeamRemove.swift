import HTTP
package import Platform

/// `errand team remove`: takes a member out of a team.
package struct TeamRemove: Verb {
    package static let words = ["team", "remove"]
    package static let usage = "MEMBER [--team TEAM] [--yes]"
    package static let summary = "Remove a member from a team."
    package static let options = [TeamOptions.team, Confirmation.option]

    private let arguments: Arguments
    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        named = try arguments.exactly("MEMBER")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(arguments.value(TeamOptions.team.name))
        let member = try await client.member(named, at: team.path)
        try await Confirmation.demand("Remove \(member.shown) from \(team.shown)?", arguments)
        _ = try await client.session.call(.delete, "\(team.path)/members/\(member.id)", repeats: .never)
        terminal.note("removed \(member.shown) from \(team.shown)")
        return ExitCode.done
    }
}
