import CLinux
import Glibc

/// A program started by this process, watched by its pidfd; loop-confined.
///
/// It is reaped as soon as it ends, whether somebody waits or not, and stays alive until then.
@safe package final class ChildProcess {
    /// The process number; use `signal`, which cannot hit a successor.
    package let pid: Int32
    /// The end that writes to the program's input, when that is a pipe.
    package let stdin: ByteSocket?
    /// The end that reads its output, when that is a pipe.
    package let stdout: ByteSocket?
    /// The end that reads its diagnostics, when that is a pipe.
    package let stderr: ByteSocket?
    /// How it ended, or nil while it runs.
    package private(set) var status: ExitStatus?

    private let watch: Source
    private let ended = LoopCondition()
    private let leadsGroup: Bool

    /// Starts a program; the loop's thread sleeps until it has executed, well under a millisecond.
    package static func spawn(_ spec: ProcessSpec, on loop: EventLoop) throws(PlatformError) -> ChildProcess {
        loop.requireOnLoop()
        let streams = try ChildStreams(spec)
        let started = try ChildLaunch.start(spec, streams.mappings)
        return try ChildProcess(started: started, streams: streams, spec: spec, loop: loop)
    }

    private init(
        started: ChildLaunch,
        streams: borrowing ChildStreams,
        spec: ProcessSpec,
        loop: EventLoop
    ) throws(PlatformError) {
        pid = started.pid
        leadsGroup = spec.newSession
        watch = try Source(loop: loop, descriptor: OwnedDescriptor(started.pidfd))
        stdin = try streams.takeParentEnd(0, loop: loop)
        stdout = try streams.takeParentEnd(1, loop: loop)
        stderr = try streams.takeParentEnd(2, loop: loop)
        watch.onEvents = { [self] _ in reap() }
    }

    /// Waits until the program has ended; any number of tasks may.
    package func wait() async -> ExitStatus {
        while true {
            if let status { return status }
            await ended.wait()
        }
    }

    /// Waits until the program has ended or the time is over, then nil.
    package func wait(timeout: Duration) async -> ExitStatus? {
        if status == nil { _ = await ended.wait(timeout: timeout, on: watch.loop) }
        return status
    }

    /// Signals the program; nothing happens once it has ended.
    package func signal(_ number: Int32) {
        guard status == nil else { return }
        _ = clinux_pidfd_signal(watch.descriptor, number)
    }

    /// Signals the whole process group of a program started with `newSession`, while the program itself lives.
    package func signalGroup(_ number: Int32) {
        precondition(leadsGroup, "the program leads no process group")
        // Until it is reaped its number belongs to it, so the group is surely its own.
        guard status == nil else { return }
        _ = kill(-pid, number)
    }

    private func reap() {
        var code: Int32 = 0
        var value: Int32 = 0
        let result = unsafe clinux_pidfd_reap(watch.descriptor, &code, &value)
        guard result != 0 else { return }
        // A failure means that somebody set SIGCHLD to ignored: the program has ended, its code is lost.
        status = result > 0 && code != CLD_EXITED ? .signaled(value) : .exited(result > 0 ? value : 127)
        watch.close()
        ended.signalAll()
    }
}
