import Glibc
import Platform

/// Ctrl-C and the request to end, as a verb wants them answered.
final class Interrupts {
    /// What to do at the first one; the second always leaves at once.
    var onFirst: () -> Void = { Interrupts.leave() }

    private let signals: SignalStream

    /// Which signals a verb that listens must have blocked from the start.
    static let listened = [SIGINT, SIGTERM]

    /// Begins to listen.
    init(on loop: EventLoop) throws {
        let signals = try SignalStream(Self.listened, on: loop)
        self.signals = signals
        loop.spawnLocal { [weak self] in
            var isFirst = true
            while await signals.next() != nil {
                guard isFirst, let self else { Interrupts.leave() }
                isFirst = false
                onFirst()
            }
        }
    }

    /// Ends the process without waiting for anybody.
    static func leave() -> Never { _exit(ExitCode.interrupted) }

    /// Stops listening.
    func close() { signals.close() }
}
