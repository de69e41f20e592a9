import CLinux
import Glibc

/// A process of the server's, held by its pidfd.
struct Child {
    enum Kind {
        case sandbox(id: String, uid: UInt32, project: String?)
        case removal([String], request: UInt32?)
    }

    var pidfd: Int32
    var kind: Kind
}

/// The server's processes: sandboxes and removals.
struct Children {
    private(set) var entries: [Child] = []

    mutating func add(_ child: Child) {
        entries.append(child)
    }

    func holdsSandbox(_ wanted: String) -> Bool {
        entries.contains { if case .sandbox(let id, _, _) = $0.kind { id == wanted } else { false } }
    }

    func holdsProject(_ wanted: String) -> Bool {
        entries.contains { if case .sandbox(_, _, let project) = $0.kind { project == wanted } else { false } }
    }

    func holdsRemoval(of wanted: [String]) -> Bool {
        entries.contains { child in
            if case .removal(let names, _) = child.kind { names.contains(where: wanted.contains) } else { false }
        }
    }

    func holdsUID(_ wanted: UInt32) -> Bool {
        entries.contains { if case .sandbox(_, let uid, _) = $0.kind { uid == wanted } else { false } }
    }

    /// Kills a sandbox's init, and with it everything in its process namespace.
    func kill(_ wanted: String) {
        for child in entries {
            if case .sandbox(let id, _, _) = child.kind, id == wanted { _ = errand_pidfd_kill(child.pidfd, SIGKILL) }
        }
    }

    /// Takes an ended child out; its exit status, or 128 and more for a signal.
    mutating func reap(_ pidfd: Int32) -> (child: Child, status: Int32)? {
        guard let index = entries.firstIndex(where: { $0.pidfd == pidfd }) else { return nil }
        var exited: Int32 = 0
        var status: Int32 = 0
        guard unsafe errand_reap(pidfd, &exited, &status) == 0 else { return nil }
        let child = entries.remove(at: index)
        close(pidfd)
        return (child, exited != 0 ? status : 128 + status)
    }

    /// Kills every sandbox and waits until all are gone; removals finish by themselves.
    mutating func killAll() {
        for child in entries {
            if case .sandbox = child.kind { _ = errand_pidfd_kill(child.pidfd, SIGKILL) }
        }
        for child in entries {
            guard case .sandbox = child.kind else { continue }
            var entry = pollfd(fd: child.pidfd, events: Int16(POLLIN), revents: 0)
            while unsafe poll(&entry, 1, -1) < 0, errno == EINTR {}
            _ = reap(child.pidfd)
        }
    }
}
