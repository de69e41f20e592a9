package import Platform

/// `errand team model-key set`: the key for jobs of members who have none.
package struct TeamModelKeySet: Verb {
    package static let words = ["team", "model-key", "set"]
    package static let usage = "TEAM [options]"
    package static let summary = "Set a team's model key, read from a file, a pipe or the terminal."
    package static let options = ModelKeySetting.options

    private let team: String
    private let setting: ModelKeySetting

    package init(_ arguments: Arguments) throws(UsageError) {
        team = try arguments.exactly("TEAM")[0]
        setting = ModelKeySetting(arguments)
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await setting.run(.team(team), on: try await Client.open(on: loop), terminal)
        return ExitCode.done
    }
}
