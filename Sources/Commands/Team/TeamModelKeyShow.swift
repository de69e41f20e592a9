package import Platform

/// `errand team model-key show`: what is known of a team's key.
package struct TeamModelKeyShow: Verb {
    package static let words = ["team", "model-key", "show"]
    package static let usage = "TEAM [--json]"
    package static let summary = "Show what model key a team has; never the key."
    package static let options = [Option("--json", "print the server's document")]

    private let team: String
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        team = try arguments.exactly("TEAM")[0]
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await Client.open(on: loop).showModelKey(of: .team(team), isJSON: isJSON, terminal)
        return ExitCode.done
    }
}
