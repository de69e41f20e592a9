/// Every step of making a sandbox; each is fatal, and a refusal names the one that failed.
package enum SandboxStep: String, CaseIterable, Sendable {
    // In the fork server, before the new process exists.
    case request, project, policy
    case workspaceTree = "workspace tree"
    case configurationTree = "configuration tree"
    case process
    // In the new process; `identity map` comes first without root and late with it.
    case deathSignal = "death signal"
    case session
    case cgroupNamespace = "cgroup namespace"
    case template
    case mountNamespace = "mount namespace"
    case sources
    case skeleton
    case devices
    case loopback
    case listener
    case hostname
    case proc
    case procMasks = "proc masks"
    case devpts
    case sharedMemory = "shared memory"
    case temporary
    case home
    case workspace
    case configuration
    case pivot
    case standardStreams = "standard streams"
    case mountTable = "mount table"
    case keyring
    case groups
    case identity
    case userNamespace = "user namespace"
    case identityMap = "identity map"
    case nestedNamespaces = "nested namespaces"
    case resourceLimits = "resource limits"
    case noNewPrivileges = "no new privileges"
    case capabilities
    case childSignals = "child signals"
    case dumpable
    case descriptors
    case filter
    case verification

    /// Whether this step belongs to the given way of making a sandbox.
    package func belongs(to mode: SandboxMode) -> Bool {
        switch self {
        case .workspaceTree, .configurationTree, .template, .mountNamespace, .groups, .identity, .userNamespace:
            mode == .root
        case .sources, .skeleton, .devices, .pivot:
            mode == .rootless
        default:
            true
        }
    }
}

/// How sandboxes are made.
package enum SandboxMode: UInt8, Sendable {
    /// By real root: every namespace but the user namespace is out of the workload's hands, one uid per project.
    case root = 1
    /// By an ordinary user: the user namespace comes first and all sandboxes share that user's uid.
    case rootless = 2
}

/// A refusal by the launcher: the step, the errno and what it was about.
package struct SetupFailure: Error, Equatable, Sendable {
    /// The name of the step.
    package let step: String
    /// The errno, or 0 when no system call failed.
    package let errno: Int32
    /// What the step was about; names no host path.
    package let detail: String

    package init(step: String, errno: Int32, detail: String) {
        self.step = step
        self.errno = errno
        self.detail = detail
    }

    package init(_ step: SandboxStep, _ errno: Int32, _ detail: String) {
        self.init(step: step.rawValue, errno: errno, detail: detail)
    }
}

/// Where things are inside every sandbox.
package enum SandboxPaths {
    /// The workspace and the default working directory.
    package static let workspace = "/workspace"
    /// The agent's own state, kept per project: `CLAUDE_CONFIG_DIR` points here.
    package static let configuration = "/state/config"
    /// A private, vanishing home directory.
    package static let home = "/home/agent"
    /// The read-only directory that holds the agent's binary.
    package static let agent = "/opt/errand/agent"
    /// The descriptor at which the fork server finds its socket.
    package static let serverSocket: Int32 = 3
    /// The uid and gid that the workload sees as its own.
    package static let innerID: UInt32 = 1000
}
