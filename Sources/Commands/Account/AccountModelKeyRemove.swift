package import Platform

/// `errand account model-key remove`: one's own jobs use the team's key again.
package struct AccountModelKeyRemove: Verb {
    package static let words = ["account", "model-key", "remove"]
    package static let usage = ""
    package static let summary = "Remove your own model key."

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await Client.open(on: loop).removeModelKey(of: .me, terminal)
        return ExitCode.done
    }
}
