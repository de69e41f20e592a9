import Glibc
import Platform

/// Gives up root for good, on all threads of the process.
enum Privileges {
    /// True when this process is root.
    static var isRoot: Bool { geteuid() == 0 }

    /// Becomes an ordinary user without supplementary groups, and makes sure that there is no way back.
    ///
    /// The C library applies each call to every thread; an exec or a core dump of the process is not root's any more.
    static func drop(
        to identity: WorkerConfiguration.Identity,
        keeping parentDeath: ParentDeath?
    ) throws(WorkerError) {
        guard identity.userID != 0, identity.groupID != 0 else {
            throw .privileges("the user to become is root")
        }
        // The order matters: without root the groups can no longer be changed.
        try call("setgroups") { setgroups(0, nil) }
        // Root's own calls set the real, the effective and the saved number alike.
        try call("setgid") { setgid(identity.groupID) }
        try call("setuid") { setuid(identity.userID) }
        guard getuid() == identity.userID, getegid() == identity.groupID, setuid(0) != 0, setgid(0) != 0 else {
            throw .privileges("root can be had back")
        }
        // Without it the worker would outlive its supervisor.
        do throws(PlatformError) {
            try parentDeath?.request()
        } catch {
            throw .privileges(error.description)
        }
    }

    private static func call(_ stage: String, _ body: () -> Int32) throws(WorkerError) {
        guard body() == 0 else { throw .privileges(PlatformError(stage: stage, errno: errno).description) }
    }
}
