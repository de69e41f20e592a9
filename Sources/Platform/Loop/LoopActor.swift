/// The executor identity of code isolated to a loop's actor; its jobs go into the loop's one queue.
final class LoopSerial: SerialExecutor {
    private unowned let loop: EventLoop

    init(loop: EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        loop.push(LoopJob(job: UnownedJob(job), isIsolated: true))
    }

    func checkIsolated() {
        precondition(loop.isOnLoop, "not on this loop")
    }

    func isIsolatingCurrentContext() -> Bool? {
        loop.isOnLoop
    }
}

/// The isolation of everything that lives on one loop: code isolated to it is on the loop's thread.
package actor LoopActor {
    /// The loop whose thread runs this actor's code.
    package nonisolated let loop: EventLoop
    nonisolated let serial: LoopSerial

    init(loop: EventLoop) {
        self.loop = loop
        serial = LoopSerial(loop: loop)
    }

    /// The loop's serial identity.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe serial.asUnownedSerialExecutor()
    }

    /// Runs a body in this isolation.
    ///
    /// Swift 6.3 drops the hop to the actor when nothing but a nonisolated(nonsending) call follows, though such a
    /// callee relies on it: the check is also what keeps the hop.
    func perform<Value: Sendable>(_ body: @Sendable () async throws -> Value) async rethrows -> Value {
        loop.requireOnLoop()
        return try await body()
    }

    func performLocal(_ body: LoopBox<() async -> Void>) async {
        loop.requireOnLoop()
        await body.value()
    }
}
