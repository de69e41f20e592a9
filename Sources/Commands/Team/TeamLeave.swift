import HTTP
package import Platform

/// `errand team leave`: leaves a team.
package struct TeamLeave: Verb {
    package static let words = ["team", "leave"]
    package static let usage = "TEAM [--yes]"
    package static let summary = "Leave a team; only an invitation brings you back."
    package static let options = [Confirmation.option]

    private let arguments: Arguments
    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        named = try arguments.exactly("TEAM")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(named)
        try await Confirmation.demand("Leave \(team.shown)?", arguments)
        _ = try await client.session.call(.delete, "\(team.path)/members/me", repeats: .never)
        terminal.note("you have left \(team.shown)")
        return ExitCode.done
    }
}
