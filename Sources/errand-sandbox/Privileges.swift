import CLinux
import Glibc
import SandboxSpec

/// What this process may do, and so how sandboxes are made here.
enum Privileges {
    private static let systemAdministration: Int32 = 21

    /// Root with its capabilities, or an ordinary user with user namespaces; nothing in between.
    static func mode() throws(SetupFailure) -> SandboxMode {
        if geteuid() == 0 {
            guard errand_holds_capability(systemAdministration) == 1 else {
                throw SetupFailure(step: "privileges", errno: EPERM, detail: "root without CAP_SYS_ADMIN")
            }
            return .root
        }
        try tryUserNamespace()
        return .rootless
    }

    /// What is weaker than with root.
    static func degraded() -> [String] {
        var reasons = ["uid shared by all projects"]
        let groups = getgroups(0, nil)
        if groups > 1 { reasons.append("supplementary groups of the user stay in force") }
        return reasons
    }

    static func kernelRelease() -> String {
        guard let bytes = readFile(AT_FDCWD, "/proc/sys/kernel/osrelease", limit: 256) else { return "unknown" }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private static func tryUserNamespace() throws(SetupFailure) {
        var pidfd: Int32 = -1
        let pid = unsafe errand_clone(ERRAND_NEWUSER | ERRAND_NEWNS, &pidfd)
        guard pid >= 0 else {
            throw SetupFailure(step: "privileges", errno: -pid, detail: "user namespaces are not available")
        }
        if pid == 0 { _exit(0) }
        let child = Descriptor(pidfd)
        var entry = pollfd(fd: child.raw, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&entry, 1, -1) < 0, errno == EINTR {}
        var exited: Int32 = 0
        var status: Int32 = 0
        _ = unsafe errand_reap(child.raw, &exited, &status)
    }
}
