/// What kind of work a job is.
package enum JobKind: String, Sendable, CaseIterable {
    case claude, command
}

/// Which directory a job works in.
package enum WorkspaceMode: String, Sendable, CaseIterable {
    /// The project's own, kept between jobs, on the project's home worker.
    case project
    /// An empty private one that vanishes; such jobs run anywhere and in parallel.
    case none
}

/// What an agent job runs.
package struct ClaudeSpec: Sendable, Equatable {
    package var prompt: String
    package var model: String?
    package var maxTurns: Int?

    /// Makes a spec of checked fields.
    package init(prompt: String, model: String?, maxTurns: Int?) {
        self.prompt = prompt
        self.model = model
        self.maxTurns = maxTurns
    }
}

/// What a command job runs.
package struct CommandSpec: Sendable, Equatable {
    /// The program and its arguments; the program is looked up on the sandbox's PATH.
    package var argv: [String]
    package var environment: [String: String]
    /// Text given on standard input, then end of file.
    package var standardInput: String?

    /// Makes a spec of checked fields.
    package init(argv: [String], environment: [String: String], standardInput: String?) {
        self.argv = argv
        self.environment = environment
        self.standardInput = standardInput
    }
}

/// The kind-specific half of a job.
package enum JobWork: Sendable, Equatable {
    case claude(ClaudeSpec)
    case command(CommandSpec)

    /// The kind this work is of.
    package var kind: JobKind {
        switch self {
        case .claude: .claude
        case .command: .command
        }
    }
}

/// The bounds every submitted job is held to, each with its reason.
package enum JobLimits {
    /// The CLI takes 10 MB on stdin; a prompt of 1 MiB is a pasted book.
    package static let promptBytes = 1 << 20
    /// Linux caps one argument at 128 KiB.
    package static let argumentBytes = 128 << 10
    /// More arguments than any hand-written command, far below ARG_MAX.
    package static let arguments = 1_024
    /// As many variables as a large build sets.
    package static let environmentVariables = 256
    /// All arguments and variables together fit the one message in which the launcher takes a command.
    package static let commandBytes = 128 << 10
    /// The same size as a prompt.
    package static let standardInputBytes = 1 << 20
    /// A year; jobs without a limit leave the field out.
    package static let timeoutSeconds = 31_536_000
    /// 0 is served first, 9 last.
    package static let priorities = 0...9
    package static let defaultPriority = 5
    /// More tries than this hide a fault.
    package static let attempts = 10
    package static let turns = 10_000
}
