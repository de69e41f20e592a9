package import Platform

/// One verb of the command line; it parses first, then runs on a loop.
package protocol Verb: Sendable {
    /// The words that call it, such as `["admin", "user", "create"]`.
    static var words: [String] { get }
    /// What follows the words in the usage line.
    static var usage: String { get }
    /// One line of what it does.
    static var summary: String { get }
    static var options: [Option] { get }
    /// Whether everything after the first word belongs to another program.
    static var takesRest: Bool { get }
    /// Signals that the verb receives by itself; blocked before the first thread starts.
    static var signals: [Int32] { get }
    /// Reads the command line; throws for what cannot be meant.
    init(_ arguments: Arguments) throws(UsageError)
    /// Does it, and answers with the exit code.
    func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32
}

extension Verb {
    package static var takesRest: Bool { false }
    package static var options: [Option] { [] }
    package static var signals: [Int32] { [] }

    /// The full help of the verb.
    static var help: String {
        var text = "usage: errand \(words.joined(separator: " ")) \(usage)\n\n\(summary)\n"
        if !options.isEmpty { text += "\n" }
        for option in options {
            let head = option.name + (option.value.map { " \($0)" } ?? "")
            text += "  " + head + String(repeating: " ", count: max(1, 26 - head.count)) + option.help + "\n"
        }
        return text
    }
}

/// Exit codes that shells can tell apart; `errand run` gives the job's own instead when it has one.
package enum ExitCode {
    package static let done: Int32 = 0
    package static let failed: Int32 = 1
    package static let usage: Int32 = 2
    package static let notFound: Int32 = 3
    package static let refused: Int32 = 4
    package static let unavailable: Int32 = 5
    /// 128 and the number of SIGINT.
    package static let interrupted: Int32 = 130
}

/// A failure with a text for the user that says what to do.
package struct CommandFailure: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let exitCode: Int32
    /// The server's own code for what went wrong, when it was the server that refused.
    package let problemCode: String?

    /// Makes a failure.
    package init(_ description: String, exitCode: Int32 = ExitCode.failed, problemCode: String? = nil) {
        self.description = description
        self.exitCode = exitCode
        self.problemCode = problemCode
    }
}
