import Glibc
import SandboxSpec

/// The bounds within which the server takes a worker's word.
enum PlanCheck {
    /// A classic BPF program holds at most 4096 instructions of 8 bytes.
    private static let filterBytes = 8...(4096 * 8)
    /// Above any real machine: a wrong unit is refused, not obeyed.
    private static let mostBytes: UInt64 = 1 << 44

    static func validate(_ plan: SandboxPlan, _ steps: Steps) throws(SetupFailure) {
        try steps.require(SandboxName.isComponent(plan.id), EINVAL, "the sandbox's id")
        try steps.require(SandboxName.isComponent(plan.hostname), EINVAL, "the host name")
        let limits = plan.limits
        try steps.require((16...65_536).contains(limits.processes), ERANGE, "the limit of processes")
        try steps.require((64...1_048_576).contains(limits.openFiles), ERANGE, "the limit of open files")
        try steps.require((16...16_777_216).contains(limits.inodes), ERANGE, "the limit of inodes")
        var sizes = [limits.fileSize, limits.temporaryBytes, limits.homeBytes, limits.sharedMemoryBytes]
        switch plan.workspace {
        case .project(let name, _, _):
            try steps.require(SandboxName.isComponent(name), EINVAL, "the project's name")
        case .ephemeral(let sizeBytes):
            sizes.append(sizeBytes)
        }
        for size in sizes { try steps.require((4096...mostBytes).contains(size), ERANGE, "a size limit") }
    }

    /// Reads the program by position: a shared offset would give the next reader nothing.
    static func readFilter(_ descriptor: Int32, _ steps: Steps) throws(SetupFailure) -> [UInt8] {
        var status = stat()
        try steps.check(unsafe fstat(descriptor, &status) == 0 ? 0 : -errno, "the filter's size")
        let size = Int(status.st_size)
        try steps.require(status.st_mode & S_IFMT == S_IFREG, EINVAL, "the filter is not a file")
        try steps.require(filterBytes.contains(size) && size % 8 == 0, EINVAL, "the filter's size is \(size)")
        var bytes = [UInt8](repeating: 0, count: size)
        let got = unsafe pread(descriptor, &bytes, size, 0)
        try steps.require(got == size, EIO, "reading the filter")
        return bytes
    }
}

extension SandboxPlan {
    var projectName: String? {
        if case .project(let name, _, _) = workspace { return name }
        return nil
    }
}
