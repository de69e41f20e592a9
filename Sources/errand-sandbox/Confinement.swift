import CLinux
import Glibc
import SandboxSpec

/// What takes the sandbox's powers away, and the reading back that proves it.
struct Confinement {
    let plan: SandboxPlan
    let steps: Steps

    /// A core limit of 1 byte, unlike 0, also stops a core handler that the host pipes cores to.
    private static let coreBytes: UInt64 = 1
    /// Enough for programs that lock a key or two; nothing for those that would pin memory.
    private static let lockedBytes: UInt64 = 64 << 10
    /// Queued signals; timers of language runtimes take one each.
    private static let pendingSignals: UInt64 = 4096

    /// Sets the limits, forbids new privileges and drops every capability for good.
    func limit() throws(SetupFailure) {
        try steps.begin(.resourceLimits)
        let limits: [(Int32, UInt64, String)] = [
            (ERRAND_LIMIT_CORE, Self.coreBytes, "CORE"),
            (ERRAND_LIMIT_NOFILE, plan.limits.openFiles, "NOFILE"),
            (ERRAND_LIMIT_NPROC, plan.limits.processes, "NPROC"),
            (ERRAND_LIMIT_FSIZE, plan.limits.fileSize, "FSIZE"),
            (ERRAND_LIMIT_MEMLOCK, Self.lockedBytes, "MEMLOCK"),
            (ERRAND_LIMIT_SIGPENDING, Self.pendingSignals, "SIGPENDING"),
            (ERRAND_LIMIT_MSGQUEUE, 0, "MSGQUEUE"),
            (ERRAND_LIMIT_RTPRIO, 0, "RTPRIO"),
            (ERRAND_LIMIT_NICE, 0, "NICE"),
        ]
        for (resource, value, name) in limits {
            try steps.check(errand_limit(resource, value), "RLIMIT_\(name)")
        }
        try steps.begin(.noNewPrivileges)
        try steps.check(errand_no_new_privileges(), "PR_SET_NO_NEW_PRIVS")
        try steps.begin(.capabilities)
        try steps.check(errand_drop_capabilities(), "dropping capabilities")
    }

    /// Reads the confinement back; anything weaker than meant refuses the sandbox.
    static func verify(
        mode: SandboxMode,
        uid: UInt32,
        mounts: [String],
        _ steps: Steps
    ) throws(SetupFailure) -> ConfinementFacts {
        try steps.begin(.verification)
        guard let bytes = readFile(AT_FDCWD, "/proc/self/status", limit: 1 << 16) else {
            throw SetupFailure(steps.current, EIO, "reading the process status")
        }
        var fields: [Substring: Substring] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = trimmed(parts[1]) }
        }
        var capabilities: UInt64 = 0
        for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            guard let value = fields[Substring(name)].flatMap({ UInt64($0, radix: 16) }) else {
                throw SetupFailure(steps.current, EIO, "\(name) is missing")
            }
            capabilities |= value
        }
        let inner = "\(SandboxPaths.innerID)"
        let ids = [inner, inner, inner, inner].joined(separator: "\t")
        try steps.require(capabilities == 0, EPERM, "capabilities are left")
        try steps.require(fields["NoNewPrivs"] == "1", EPERM, "no_new_privs is not set")
        try steps.require(fields["Seccomp"] == "2", EPERM, "no seccomp filter is in force")
        try steps.require(fields["Uid"].map(String.init) == ids, EPERM, "the uid is not \(inner)")
        try steps.require(fields["Gid"].map(String.init) == ids, EPERM, "the gid is not \(inner)")
        if mode == .root { try steps.require(fields["Groups"] == "", EPERM, "supplementary groups are left") }
        return ConfinementFacts(
            mode: mode,
            uid: uid,
            namespaces: try namespaces(steps),
            noNewPrivileges: true,
            seccompMode: 2,
            capabilities: capabilities,
            mounts: mounts
        )
    }

    private static func namespaces(_ steps: Steps) throws(SetupFailure) -> [String] {
        var names: [String] = []
        for kind in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"] {
            var target = [CChar](repeating: 0, count: 64)
            let length = unsafe readlink("/proc/self/ns/\(kind)", &target, target.count)
            try steps.require(length > 0, errno, "reading the \(kind) namespace")
            names.append(String(decoding: target[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
        return names
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        guard let first = text.firstIndex(where: { !isBlank($0) }) else { return "" }
        guard let last = text.lastIndex(where: { !isBlank($0) }) else { return "" }
        return text[first...last]
    }
}
