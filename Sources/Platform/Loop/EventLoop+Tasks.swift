extension EventLoop {
    /// Starts a task isolated to the loop's actor, from any thread.
    package func spawn(_ body: @escaping @Sendable () async -> Void) {
        Task(executorPreference: self) { [actor] in
            await actor.perform(body)
        }
    }

    /// Starts a task isolated to the loop's actor that may hold loop-confined values; on the loop only.
    package func spawnLocal(_ body: @escaping () async -> Void) {
        precondition(isOnLoop, "spawnLocal off the loop")
        let box = LoopBox(value: body)
        Task(executorPreference: self) { [actor] in
            await actor.performLocal(box)
        }
    }

    /// Runs the body isolated to the loop's actor and returns its value, from any async context.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withTaskExecutorPreference(self) { [actor] in
            try await actor.perform(body)
        }
    }

    /// Starts a loop, runs the body on it and blocks the calling thread until it is done; for a synchronous main.
    package static func runMain<Value: Sendable>(
        _ body: @escaping @Sendable (EventLoop) async throws -> Value
    ) throws -> Value {
        precondition(current == nil, "runMain on a loop would block it")
        let loop = try EventLoop.start(name: "main-loop")
        let outcome = MainOutcome<Value>()
        Task(executorPreference: loop) { [actor = loop.actor] in
            do {
                let value = try await actor.perform { try await body(loop) }
                outcome.finish(.success(value))
            } catch {
                outcome.finish(.failure(error))
            }
        }
        let result = outcome.wait()
        loop.stop()
        loop.waitUntilFinished()
        return try result.get()
    }
}

/// Carries the result of `runMain` to the thread that waits for it.
private final class MainOutcome<Value: Sendable>: Sendable {
    private let result = Lock<Result<Value, any Error>?>(nil)
    private let done = ThreadSemaphore()

    func finish(_ outcome: Result<Value, any Error>) {
        result.withLock { $0 = outcome }
        done.signal()
    }

    func wait() -> Result<Value, any Error> {
        done.wait()
        guard let outcome = result.withLock({ $0 }) else { preconditionFailure("signalled before the result") }
        return outcome
    }
}
