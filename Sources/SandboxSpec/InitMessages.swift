/// One program to run inside a sandbox.
package struct CommandPlan: Equatable, Sendable {
    /// The argument list; the first is the program, looked up in the command's own PATH when it has no slash.
    package var arguments: [String]
    /// The whole environment, as NAME=VALUE.
    package var environment: [String]
    /// An absolute path inside the sandbox.
    package var workingDirectory: String
    /// Whether stdin is a pipe; otherwise it is `/dev/null`.
    package var takesInput: Bool

    package init(arguments: [String], environment: [String], workingDirectory: String, takesInput: Bool) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.takesInput = takesInput
    }
}

/// What the worker asks of a sandbox's init.
package enum InitRequest: Equatable, Sendable {
    /// Starts a command.
    case run(command: UInt32, CommandPlan)
    /// Sends a signal to a running command's process group.
    case signal(command: UInt32, number: Int32)

    /// The message's bytes.
    package func encoded() -> [UInt8] {
        switch self {
        case .run(let command, let plan):
            var writer = WireWriter(kind: 1)
            writer.integer(command)
            writer.texts(plan.arguments)
            writer.texts(plan.environment)
            writer.text(plan.workingDirectory)
            writer.flag(plan.takesInput)
            return writer.bytes
        case .signal(let command, let number):
            var writer = WireWriter(kind: 2)
            writer.integer(command)
            writer.integer(number)
            return writer.bytes
        }
    }

    package init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = try WireReader(bytes)
        switch reader.kind {
        case 1:
            self = .run(
                command: try reader.integer(),
                CommandPlan(
                    arguments: try reader.texts(),
                    environment: try reader.texts(),
                    workingDirectory: try reader.text(),
                    takesInput: try reader.flag()
                )
            )
        case 2: self = .signal(command: try reader.integer(), number: try reader.integer())
        default: throw WireError("request kind \(reader.kind)")
        }
        try reader.end()
    }
}

/// What init read back about itself after it was confined.
package struct ConfinementFacts: Equatable, Sendable {
    /// How the sandbox was made.
    package var mode: SandboxMode
    /// The host uid of everything inside.
    package var uid: UInt32
    /// Namespace names with their identities, such as `pid:[4026532201]`.
    package var namespaces: [String]
    /// Whether `no_new_privs` is set.
    package var noNewPrivileges: Bool
    /// The seccomp mode; 2 is a filter.
    package var seccompMode: UInt8
    /// The union of all five capability sets; 0 means none is held and none can be regained.
    package var capabilities: UInt64
    /// The mount points, in the order of the mount table.
    package var mounts: [String]

    package init(
        mode: SandboxMode,
        uid: UInt32,
        namespaces: [String],
        noNewPrivileges: Bool,
        seccompMode: UInt8,
        capabilities: UInt64,
        mounts: [String]
    ) {
        self.mode = mode
        self.uid = uid
        self.namespaces = namespaces
        self.noNewPrivileges = noNewPrivileges
        self.seccompMode = seccompMode
        self.capabilities = capabilities
        self.mounts = mounts
    }
}

/// What a sandbox's init answers.
package enum InitReply: Equatable, Sendable {
    /// The listener inside the sandbox's network namespace; carries it.
    case listener
    /// The sandbox is confined and serves commands.
    case ready(ConfinementFacts)
    /// A step of the set-up failed; the sandbox is gone.
    case failed(SetupFailure)
    /// A command runs; carries the worker's ends of stdout, stderr and, when asked for, stdin.
    case started(command: UInt32)
    /// A command could not be started.
    case refused(command: UInt32, SetupFailure)
    /// A command has ended.
    case ended(command: UInt32, signaled: Bool, status: Int32)

    /// The message's bytes.
    package func encoded() -> [UInt8] {
        switch self {
        case .listener:
            return WireWriter(kind: 1).bytes
        case .ready(let facts):
            var writer = WireWriter(kind: 2)
            writer.integer(facts.mode.rawValue)
            writer.integer(facts.uid)
            writer.texts(facts.namespaces)
            writer.flag(facts.noNewPrivileges)
            writer.integer(facts.seccompMode)
            writer.integer(facts.capabilities)
            writer.texts(facts.mounts)
            return writer.bytes
        case .failed(let failure):
            var writer = WireWriter(kind: 3)
            writer.failure(failure)
            return writer.bytes
        case .started(let command):
            var writer = WireWriter(kind: 4)
            writer.integer(command)
            return writer.bytes
        case .refused(let command, let failure):
            var writer = WireWriter(kind: 5)
            writer.integer(command)
            writer.failure(failure)
            return writer.bytes
        case .ended(let command, let signaled, let status):
            var writer = WireWriter(kind: 6)
            writer.integer(command)
            writer.flag(signaled)
            writer.integer(status)
            return writer.bytes
        }
    }

    package init(decoding bytes: [UInt8]) throws(WireError) {
        var reader = try WireReader(bytes)
        switch reader.kind {
        case 1: self = .listener
        case 2:
            guard let mode = SandboxMode(rawValue: try reader.integer()) else { throw WireError("mode") }
            self = .ready(
                ConfinementFacts(
                    mode: mode,
                    uid: try reader.integer(),
                    namespaces: try reader.texts(),
                    noNewPrivileges: try reader.flag(),
                    seccompMode: try reader.integer(),
                    capabilities: try reader.integer(),
                    mounts: try reader.texts()
                )
            )
        case 3: self = .failed(try reader.failure())
        case 4: self = .started(command: try reader.integer())
        case 5: self = .refused(command: try reader.integer(), try reader.failure())
        case 6:
            self = .ended(command: try reader.integer(), signaled: try reader.flag(), status: try reader.integer())
        default: throw WireError("reply kind \(reader.kind)")
        }
        try reader.end()
    }
}
