import CLinux
import Glibc

/// A process that this one did not start, held by its pidfd so that no successor is hit; loop-confined.
@safe package final class ForeignProcess {
    /// The process number.
    package let pid: Int32
    private let watch: Source
    private let ended = LoopCondition()
    private var hasEnded = false

    /// Takes hold of a running process; nil when there is none.
    package init?(pid: Int32, on loop: EventLoop) throws(PlatformError) {
        let raw = clinux_pidfd_open(pid)
        guard raw >= 0 else {
            let number = errno
            if number == ESRCH || number == EINVAL { return nil }
            throw PlatformError(stage: "pidfd_open(\(pid))", errno: number)
        }
        self.pid = pid
        watch = try Source(loop: loop, descriptor: OwnedDescriptor(raw))
        watch.onEvents = { [weak self] _ in self?.end() }
    }

    /// Signals the process; nothing happens once it has ended.
    package func signal(_ number: Int32) {
        guard !hasEnded else { return }
        _ = clinux_pidfd_signal(watch.descriptor, number)
    }

    /// Waits until the process has ended (true) or the time is over (false).
    package func wait(timeout: Duration) async -> Bool {
        if !hasEnded { _ = await ended.wait(timeout: timeout, on: watch.loop) }
        return hasEnded
    }

    private func end() {
        hasEnded = true
        watch.close()
        ended.signalAll()
    }
}
