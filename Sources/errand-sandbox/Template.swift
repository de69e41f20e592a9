import CLinux
import Glibc
import SandboxSpec

/// The mount namespace that every sandbox made by root starts from, built once.
enum Template {
    /// Builds the root in a child's namespace and keeps that namespace by its descriptor.
    static func make(_ contents: RootContents) throws(SetupFailure) -> Descriptor {
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0 else {
            throw SetupFailure(step: "template", errno: errno, detail: "socketpair")
        }
        let ours = Descriptor(ends[0])
        let theirs = Descriptor(ends[1])
        var pidfd: Int32 = -1
        let pid = unsafe errand_clone(ERRAND_NEWNS, &pidfd)
        guard pid >= 0 else { throw SetupFailure(step: "template", errno: -pid, detail: "making the process") }
        if pid == 0 {
            close(ours.raw)
            build(contents, Channel(theirs.raw))
        }
        closeNow(theirs)
        let child = Descriptor(pidfd)
        defer { stop(child.raw) }
        let report: Message?
        do {
            report = try Channel(ours.raw).receive()
        } catch {
            throw SetupFailure(step: "template", errno: error.errno, detail: "waiting for the template")
        }
        guard let report, let reply = try? InitReply(decoding: report.bytes) else {
            throw SetupFailure(step: "template", errno: EPIPE, detail: "the template's process ended")
        }
        if case .failed(let failure) = reply {
            throw SetupFailure(step: "template: \(failure.step)", errno: failure.errno, detail: failure.detail)
        }
        let namespace = unsafe open("/proc/\(pid)/ns/mnt", O_RDONLY | O_CLOEXEC)
        guard namespace >= 0 else {
            throw SetupFailure(step: "template", errno: errno, detail: "holding the namespace")
        }
        return Descriptor(namespace)
    }

    private static func build(_ contents: RootContents, _ channel: Channel) -> Never {
        let steps = Steps(fault: nil)
        do throws(SetupFailure) {
            try steps.check(errand_make_private(), "making mounts private")
            let tree = try RootTree.build(contents, devices: .made, extra: nil, steps)
            try tree.pivot()
            _ = channel.send(InitReply.listener.encoded())
        } catch {
            _ = channel.send(InitReply.failed(error).encoded())
        }
        // The parent ends this process once it holds the namespace.
        while true { pause() }
    }

    private static func stop(_ child: Int32) {
        _ = errand_pidfd_kill(child, SIGKILL)
        var entry = pollfd(fd: child, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&entry, 1, -1)
        var exited: Int32 = 0
        var status: Int32 = 0
        _ = unsafe errand_reap(child, &exited, &status)
    }
}
