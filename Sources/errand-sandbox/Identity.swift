import CLinux
import Glibc
import SandboxSpec

/// Who the sandbox is: one host uid, seen inside as 1000, in a user namespace that owns nothing else.
struct Identity {
    let mode: SandboxMode
    let uid: UInt32
    /// The gid that goes with it: the same number with root, the server's own without.
    let gid: UInt32
    let steps: Steps

    /// Gives up the server's identity and capabilities on the host.
    func assume() throws(SetupFailure) {
        if mode == .root {
            try steps.begin(.groups)
            // Without this the workload would keep root's supplementary groups.
            try steps.check(errand_no_groups(), "setgroups")
            try steps.begin(.identity)
            try steps.require(uid != 0, EPERM, "no job runs as root")
            try steps.check(errand_become(uid, gid), "setresgid and setresuid")
            try steps.begin(.userNamespace)
            try restoreLifeline()
            try steps.check(errand_unshare(ERRAND_NEWUSER), "unshare")
            try map()
        }
        try steps.begin(.keyring)
        try steps.check(errand_new_keyring(), "joining a new session keyring")
        try steps.begin(.nestedNamespaces)
        try steps.check(writeWhole("/proc/sys/user/max_user_namespaces", "0"), "forbidding nested user namespaces")
        try restoreLifeline()
    }

    /// Maps the one id; setgroups is denied first, or an ordinary user may not map a group.
    func map() throws(SetupFailure) {
        try steps.begin(.identityMap)
        let inner = SandboxPaths.innerID
        try steps.check(writeWhole("/proc/self/setgroups", "deny"), "denying setgroups")
        try steps.check(writeWhole("/proc/self/uid_map", "\(inner) \(uid) 1\n"), "mapping the uid")
        try steps.check(writeWhole("/proc/self/gid_map", "\(inner) \(gid) 1\n"), "mapping the gid")
    }

    /// Changing ids clears both: the maps can be written by a dumpable process only, and death must reach us.
    private func restoreLifeline() throws(SetupFailure) {
        try steps.check(errand_prctl(PR_SET_DUMPABLE, 1), "PR_SET_DUMPABLE")
        try steps.check(errand_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL)), "PR_SET_PDEATHSIG")
    }
}
