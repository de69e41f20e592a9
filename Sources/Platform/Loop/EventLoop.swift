import CLinux
import Glibc

/// One thread with one epoll: sockets, timers and the Swift jobs of everything that lives there.
///
/// The loop is the task executor; its `actor` gives code the proof that it stays on this thread. Both feed one queue.
/// A loop lives as long as the process, because executors refer to it without owning it.
@safe package final class EventLoop: TaskExecutor, @unchecked Sendable {
    /// Batches of jobs run before the loop looks at its descriptors again, however many more wait.
    private static let batchesPerTurn = 8

    /// The thread's name.
    package let name: String
    let poller: Poller
    private let inbox = Lock(LoopInbox())
    private let finished = ThreadSemaphore()
    private var boundActor: LoopActor?
    private var local: [LoopJob] = []
    private var running: [LoopJob] = []
    private var incoming: [LoopJob] = []
    private var hooks: [() -> Bool] = []
    private var timers = TimerHeap()
    private var timerSequence: UInt64 = 0
    /// Set on the loop when it drains; timers no longer wait then.
    private var drainDeadline: Instant?
    /// The number of the present turn, by which callers bound what they do per turn.
    private(set) var turn: UInt64 = 0

    private init(name: String) throws(PlatformError) {
        self.name = name
        poller = try Poller()
        boundActor = LoopActor(loop: self)
    }

    /// Starts a loop on a new thread.
    package static func start(name: String) throws(PlatformError) -> EventLoop {
        // A write to a closed pipe is an error value here, never a signal.
        signal(SIGPIPE, SIG_IGN)
        let loop = try EventLoop(name: name)
        // Retained for ever: see above.
        _ = unsafe Unmanaged.passRetained(loop)
        try DedicatedThread.start(name: name) { loop.runThread() }
        return loop
    }

    /// The isolation of this loop's code.
    package var actor: LoopActor {
        guard let boundActor else { preconditionFailure("the loop has its actor from init on") }
        return boundActor
    }

    /// The loop that runs the calling thread, or nil elsewhere.
    package static var current: EventLoop? {
        guard let value = unsafe clinux_thread_value() else { return nil }
        return unsafe Unmanaged<EventLoop>.fromOpaque(value).takeUnretainedValue()
    }

    /// Whether the caller is on this loop's thread.
    package var isOnLoop: Bool {
        unsafe clinux_thread_value() == Unmanaged.passUnretained(self).toOpaque()
    }

    /// Stops the process when the caller is on another thread, where it would race with the loop.
    package func requireOnLoop() {
        precondition(isOnLoop, "loop-confined code off its loop")
    }

    /// The present moment on the loop's clock.
    package var now: Instant { .now }

    /// Asks the loop to end: sleepers and sources are resumed, queued jobs run, then the thread ends.
    package func stop() {
        let mustWake = inbox.withLock { inbox in
            inbox.isStopping = true
            return inbox.wake()
        }
        if mustWake { poller.wake() }
    }

    func waitUntilFinished() {
        finished.wait()
    }
}

// MARK: - The queue

extension EventLoop {
    /// Takes a job that prefers this loop.
    package func enqueue(_ job: consuming ExecutorJob) {
        push(LoopJob(job: UnownedJob(job), isIsolated: false))
    }

    func push(_ job: LoopJob) {
        if isOnLoop { return local.append(job) }
        let mustWake = inbox.withLock { inbox in
            inbox.jobs.append(job)
            return inbox.wake()
        }
        if mustWake { poller.wake() }
    }

    /// Runs a callback on the loop: at once when called there, else in the loop's next turn.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        if isOnLoop { return body() }
        let mustWake = inbox.withLock { inbox in
            inbox.callbacks.append(body)
            return inbox.wake()
        }
        if mustWake { poller.wake() }
    }

    /// Has a callback run in every turn, just before the loop waits for events, until it says false; on the loop only.
    package func onTick(_ body: @escaping () -> Bool) {
        precondition(isOnLoop, "onTick off the loop")
        hooks.append(body)
    }

    private func runThread() {
        unsafe clinux_set_thread_value(Unmanaged.passUnretained(self).toOpaque())
        while runTurn() {}
        clinux_set_thread_value(nil)
        finished.signal()
    }

    private func runTurn() -> Bool {
        turn &+= 1
        runBatch()
        // Most jobs hop once or twice: a look at the descriptors after each hop would cost more than the hop.
        for _ in 1..<Self.batchesPerTurn where !local.isEmpty { runBatch() }
        hooks.removeAll { !$0() }
        let (isIdle, isStopping) = collectInbox()
        if isStopping, !continueDraining(isIdle: isIdle) { return false }
        poller.wait(isIdle && !isStopping ? timeout() : .zero)
        _ = inbox.withLock { $0.wake() }
        poller.dispatch()
        for timer in timers.takeDue(at: now) { timer.fire() }
        return true
    }

    /// Runs the jobs that wait now; jobs they enqueue come with the next batch.
    private func runBatch() {
        swap(&local, &running)
        let serial = unsafe actor.unownedExecutor
        let task = unsafe asUnownedTaskExecutor()
        for item in running {
            if item.isIsolated {
                unsafe item.job.runSynchronously(isolatedTo: serial, taskExecutor: task)
            } else {
                unsafe item.job.runSynchronously(on: task)
            }
        }
        running.removeAll(keepingCapacity: true)
    }

    private func collectInbox() -> (isIdle: Bool, isStopping: Bool) {
        var callbacks: [@Sendable () -> Void] = []
        let isStopping = inbox.withLock { inbox in
            swap(&inbox.jobs, &incoming)
            swap(&inbox.callbacks, &callbacks)
            // Under the same lock as an append: who appends after this sees that the loop sleeps and wakes it.
            inbox.isAwake = !(local.isEmpty && incoming.isEmpty && callbacks.isEmpty)
            return inbox.isStopping
        }
        local.append(contentsOf: incoming)
        incoming.removeAll(keepingCapacity: true)
        for callback in callbacks { callback() }
        return (local.isEmpty && callbacks.isEmpty, isStopping)
    }

    /// Resumes everybody who waits, and tells whether jobs are left to run.
    private func continueDraining(isIdle: Bool) -> Bool {
        guard let deadline = drainDeadline else {
            // A task that never ends must not keep the process: what has not ended by then stays suspended.
            drainDeadline = now.advanced(by: .seconds(2))
            poller.closeAll()
            for timer in timers.takeAll() { timer.fire() }
            return true
        }
        if !isIdle, now < deadline { return true }
        inbox.withLock { $0.isAwake = true }
        poller.finish()
        return false
    }
}

// MARK: - Timers

extension EventLoop {
    /// Has a callback run on the loop after a time; on the loop only.
    package func schedule(after duration: Duration, _ body: @escaping () -> Void) -> LoopTimer {
        precondition(isOnLoop, "schedule off the loop")
        timerSequence &+= 1
        let timer = LoopTimer(
            deadline: now.advanced(by: duration),
            sequence: timerSequence,
            loop: self,
            body: body
        )
        timers.insert(timer)
        return timer
    }

    func remove(_ timer: LoopTimer) {
        timers.remove(timer)
    }

    var isDraining: Bool { drainDeadline != nil }

    private func timeout() -> Duration? {
        guard let first = timers.first else { return nil }
        let left = first.deadline - now
        return left > .zero ? left : .zero
    }
}
