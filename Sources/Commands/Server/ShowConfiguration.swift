import Operations
package import Platform

/// `errand config`: every setting with its effective value, secrets masked.
package struct ShowConfiguration: Verb {
    package static let words = ["config"]
    package static let usage = ""
    package static let summary = "Print the effective settings, secrets masked."

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        terminal.put(Array(try Configuration.load().render().utf8))
        return ExitCode.done
    }
}
