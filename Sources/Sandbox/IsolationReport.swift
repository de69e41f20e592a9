import SandboxSpec

/// Who makes the sandboxes.
package enum IsolationMode: String, Sendable {
    /// Real root: one host uid per project.
    case root
    /// An ordinary user: all projects share that user's uid.
    case rootless
}

/// How strong the isolation on this machine is, as the fork server found it.
package struct IsolationReport: Sendable {
    /// Who makes the sandboxes.
    package let mode: IsolationMode
    /// What is weaker than with root, in words; empty when nothing is.
    package let degraded: [String]
    /// The Landlock ABI that the kernel offers, 0 without.
    package let landlockABI: Int
    /// The kernel release.
    package let kernel: String
    /// A project's uid index must be below this.
    package let projectUIDs: Int

    init(_ greeting: ServerGreeting) {
        mode = greeting.mode == .root ? .root : .rootless
        degraded = greeting.degraded
        landlockABI = Int(greeting.landlockABI)
        kernel = greeting.kernel
        projectUIDs = Int(greeting.projectUIDs)
    }
}

/// What one sandbox proved about itself before it took its first command.
package struct SandboxReceipt: Sendable, Equatable {
    /// Who made it.
    package let mode: IsolationMode
    /// The host uid of everything inside.
    package let uid: UInt32
    /// The namespaces, such as `pid:[4026532201]`.
    package let namespaces: [String]
    /// The seccomp mode as the kernel reports it; 2 is a filter.
    package let seccompMode: Int
    /// The union of all capability sets; always 0, since anything else refuses the sandbox.
    package let capabilities: UInt64
    /// Whether `no_new_privs` is set.
    package let noNewPrivileges: Bool
    /// The mount points inside.
    package let mounts: [String]

    init(_ facts: ConfinementFacts) {
        mode = facts.mode == .root ? .root : .rootless
        uid = facts.uid
        namespaces = facts.namespaces
        seccompMode = Int(facts.seccompMode)
        capabilities = facts.capabilities
        noNewPrivileges = facts.noNewPrivileges
        mounts = facts.mounts
    }
}

/// Where things are inside a sandbox.
package enum SandboxLayout {
    /// The workspace and the default working directory.
    package static let workspace = SandboxPaths.workspace
    /// The agent's state, kept per project.
    package static let configuration = SandboxPaths.configuration
    /// The read-only directory with the agent's binary.
    package static let agentDirectory = SandboxPaths.agent
    /// The private, vanishing home directory.
    package static let home = SandboxPaths.home
}
