package import Platform

/// `errand team model-key remove`: members without a key of their own run no agent any more.
package struct TeamModelKeyRemove: Verb {
    package static let words = ["team", "model-key", "remove"]
    package static let usage = "TEAM"
    package static let summary = "Remove a team's model key."

    private let team: String

    package init(_ arguments: Arguments) throws(UsageError) {
        team = try arguments.exactly("TEAM")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await Client.open(on: loop).removeModelKey(of: .team(team), terminal)
        return ExitCode.done
    }
}
