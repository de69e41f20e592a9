import Glibc
import SandboxSpec

/// Where a sandbox's workspace comes from.
package enum WorkspaceMount: Sendable, Equatable {
    /// A prepared project's directories, kept after the sandbox.
    case project(name: String, uidIndex: Int, readOnly: Bool)
    /// An empty workspace in memory that vanishes with the sandbox.
    case ephemeral(sizeBytes: UInt64)
}

/// What one sandbox may use.
package struct SandboxLimits: Sendable, Equatable {
    /// Processes and threads: enough for a parallel build, too few for a fork bomb to hurt.
    package var processes: UInt64 = 1024
    /// Open descriptors per process: language servers and watchers hold thousands.
    package var openFiles: UInt64 = 16_384
    /// Bytes of one file.
    package var fileSize: UInt64 = 16 << 30
    /// Bytes of `/tmp`, which is memory.
    package var tmpBytes: UInt64 = 1 << 30
    /// Bytes of the home directory, which is memory.
    package var homeBytes: UInt64 = 512 << 20
    /// Bytes of `/dev/shm`, which is memory.
    package var sharedMemoryBytes: UInt64 = 256 << 20
    /// Files and directories in each of those.
    package var inodes: UInt64 = 262_144

    /// The defaults, each of which may be changed.
    package init() {}

    var plan: PlanLimits {
        PlanLimits(
            processes: processes,
            openFiles: openFiles,
            fileSize: fileSize,
            temporaryBytes: tmpBytes,
            homeBytes: homeBytes,
            sharedMemoryBytes: sharedMemoryBytes,
            inodes: inodes
        )
    }
}

/// What sandbox to make.
package struct SandboxRequest: Sendable, Equatable {
    /// Names it while it lives: letters, digits, `_` and `-`, at most 64.
    package var id: String
    /// Where the workspace comes from.
    package var workspace: WorkspaceMount
    /// The port on the sandbox's own 127.0.0.1 whose listener is passed out, if any.
    package var listenerPort: UInt16?
    /// What it may use.
    package var limits = SandboxLimits()
    /// The host name inside.
    package var hostname = "sandbox"
    /// The step that is to fail; only for a server started with fault injection.
    package var fault: String?

    /// Names the sandbox and its workspace; limits and host name have defaults.
    package init(id: String, workspace: WorkspaceMount, listenerPort: UInt16? = 8080) {
        self.id = id
        self.workspace = workspace
        self.listenerPort = listenerPort
    }

    func plan() throws(SandboxError) -> SandboxPlan {
        for name in [id, hostname] { try Self.checkName(name) }
        let mount: SandboxPlan.Workspace
        switch workspace {
        case .project(let name, let uidIndex, let readOnly):
            try Self.checkName(name)
            mount = .project(name: name, uidIndex: try Self.uidIndex(uidIndex), readOnly: readOnly)
        case .ephemeral(let sizeBytes):
            mount = .ephemeral(sizeBytes: sizeBytes)
        }
        return SandboxPlan(
            id: id,
            workspace: mount,
            listenerPort: listenerPort,
            limits: limits.plan,
            hostname: hostname,
            fault: fault
        )
    }

    /// The server checks again; here the caller learns it without a message that could not be read.
    static func checkName(_ name: String) throws(SandboxError) {
        guard SandboxName.isComponent(name) else {
            throw SandboxError(SetupFailure(.request, EINVAL, "a name is no plain component"))
        }
    }

    static func uidIndex(_ index: Int) throws(SandboxError) -> UInt32 {
        guard let number = UInt32(exactly: index) else {
            throw SandboxError(SetupFailure(.request, ERANGE, "the uid index is outside the projects' range"))
        }
        return number
    }
}
