/// What one sandbox is to be, as it crosses to the fork server.
package struct SandboxPlan: Equatable, Sendable {
    /// Where the workspace comes from.
    package enum Workspace: Equatable, Sendable {
        /// A prepared project's directories.
        case project(name: String, uidIndex: UInt32, readOnly: Bool)
        /// An empty tmpfs of this size that vanishes with the sandbox.
        case ephemeral(sizeBytes: UInt64)
    }

    /// Names the sandbox in `kill` and `ended` messages.
    package var id: String
    /// Where the workspace comes from.
    package var workspace: Workspace
    /// The loopback port to listen on inside, when a listener is wanted.
    package var listenerPort: UInt16?
    /// What the workload may use.
    package var limits: PlanLimits
    /// The host name inside.
    package var hostname: String
    /// The step that is to fail, for tests.
    package var fault: String?

    package init(
        id: String,
        workspace: Workspace,
        listenerPort: UInt16?,
        limits: PlanLimits,
        hostname: String,
        fault: String?
    ) {
        self.id = id
        self.workspace = workspace
        self.listenerPort = listenerPort
        self.limits = limits
        self.hostname = hostname
        self.fault = fault
    }
}

/// The bounds that rlimits and tmpfs sizes put on one sandbox.
package struct PlanLimits: Equatable, Sendable {
    /// Processes and threads.
    package var processes: UInt64
    /// Open descriptors per process.
    package var openFiles: UInt64
    /// Bytes of one file.
    package var fileSize: UInt64
    /// Bytes of `/tmp`.
    package var temporaryBytes: UInt64
    /// Bytes of the home directory.
    package var homeBytes: UInt64
    /// Bytes of `/dev/shm`.
    package var sharedMemoryBytes: UInt64
    /// Inodes of each tmpfs.
    package var inodes: UInt64

    package init(
        processes: UInt64,
        openFiles: UInt64,
        fileSize: UInt64,
        temporaryBytes: UInt64,
        homeBytes: UInt64,
        sharedMemoryBytes: UInt64,
        inodes: UInt64
    ) {
        self.processes = processes
        self.openFiles = openFiles
        self.fileSize = fileSize
        self.temporaryBytes = temporaryBytes
        self.homeBytes = homeBytes
        self.sharedMemoryBytes = sharedMemoryBytes
        self.inodes = inodes
    }
}

extension SandboxPlan {
    func write(to writer: inout WireWriter) {
        writer.text(id)
        switch workspace {
        case .project(let name, let uidIndex, let readOnly):
            writer.integer(UInt8(1))
            writer.text(name)
            writer.integer(uidIndex)
            writer.flag(readOnly)
        case .ephemeral(let sizeBytes):
            writer.integer(UInt8(2))
            writer.integer(sizeBytes)
        }
        writer.integer(listenerPort ?? 0)
        for value in limits.values { writer.integer(value) }
        writer.text(hostname)
        writer.text(fault ?? "")
    }

    init(from reader: inout WireReader) throws(WireError) {
        id = try reader.text()
        switch try reader.integer(UInt8.self) {
        case 1:
            workspace = .project(
                name: try reader.text(),
                uidIndex: try reader.integer(),
                readOnly: try reader.flag()
            )
        case 2: workspace = .ephemeral(sizeBytes: try reader.integer())
        default: throw WireError("workspace kind")
        }
        let port = try reader.integer(UInt16.self)
        listenerPort = port == 0 ? nil : port
        limits = PlanLimits(
            processes: try reader.integer(),
            openFiles: try reader.integer(),
            fileSize: try reader.integer(),
            temporaryBytes: try reader.integer(),
            homeBytes: try reader.integer(),
            sharedMemoryBytes: try reader.integer(),
            inodes: try reader.integer()
        )
        hostname = try reader.text()
        let fault = try reader.text()
        self.fault = fault.isEmpty ? nil : fault
    }
}

extension PlanLimits {
    var values: [UInt64] {
        [processes, openFiles, fileSize, temporaryBytes, homeBytes, sharedMemoryBytes, inodes]
    }
}

/// The forms that names take before they reach a path or a system call.
package enum SandboxName {
    /// Whether a project's or a sandbox's name is a single, harmless path component.
    package static func isComponent(_ name: String) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= 64, isLetterOrDigit(first) else { return false }
        return bytes.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
