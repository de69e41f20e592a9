package import Platform

/// `errand account model-key set`: the key for one's own jobs.
package struct AccountModelKeySet: Verb {
    package static let words = ["account", "model-key", "set"]
    package static let usage = "[options]"
    package static let summary = "Set your own model key, read from a file, a pipe or the terminal."
    package static let options = ModelKeySetting.options

    private let setting: ModelKeySetting

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        setting = ModelKeySetting(arguments)
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await setting.run(.me, on: try await Client.open(on: loop), terminal)
        return ExitCode.done
    }
}
