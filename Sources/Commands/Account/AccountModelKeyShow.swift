package import Platform

/// `errand account model-key show`: what is known of one's own key.
package struct AccountModelKeyShow: Verb {
    package static let words = ["account", "model-key", "show"]
    package static let usage = "[--json]"
    package static let summary = "Show whose model key you have set; never the key."
    package static let options = [Option("--json", "print the server's document")]

    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await Client.open(on: loop).showModelKey(of: .me, isJSON: isJSON, terminal)
        return ExitCode.done
    }
}
