import CLinux
import Glibc

/// Signals as values on a loop; loop-confined, one task waits at a time.
@safe package final class SignalStream {
    private let source: Source

    /// Keeps signals from interrupting the calling thread and those it starts; call it before the first loop starts.
    package static func block(_ signals: [Int32]) {
        var set = Self.set(of: signals)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Takes the signals, which all threads of the process have blocked.
    package init(_ signals: [Int32], on loop: EventLoop) throws(PlatformError) {
        Self.block(signals)
        var set = Self.set(of: signals)
        let flags = Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC)
        let raw = try systemCall("signalfd") { unsafe signalfd(-1, &set, flags) }
        source = try Source(loop: loop, descriptor: OwnedDescriptor(raw))
    }

    /// Waits for the next signal and returns its number; nil once closed.
    package func next() async -> Int32? {
        while true {
            if source.isClosed { return nil }
            source.clearReadLatch()
            var info = signalfd_siginfo()
            let size = MemoryLayout<signalfd_siginfo>.size
            if unsafe read(source.descriptor, &info, size) == size {
                source.keepReadLatch()
                return Int32(info.ssi_signo)
            }
            await source.readable()
        }
    }

    /// Stops listening; the signals stay blocked.
    package func close() {
        source.close()
    }

    private static func set(of signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        return set
    }
}
