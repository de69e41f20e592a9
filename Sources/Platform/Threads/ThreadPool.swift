/// A pool's queue is full: the work is refused rather than queued without bound.
package struct PoolFull: Error, CustomStringConvertible {
    /// The pool that refused.
    package let pool: String

    /// Refuses on behalf of a pool, or of a share in it.
    package init(pool: String) { self.pool = pool }

    /// Says which pool is full.
    package var description: String { "the queue of the pool \(pool) is full" }
}

/// A bounded number of threads for work that blocks, with a bounded queue; threads start when they are needed.
package final class ThreadPool: Sendable {
    private let core: PoolCore

    /// Creates a pool; no thread starts yet.
    package init(name: String, threads: Int, queueLimit: Int) {
        precondition(threads > 0 && queueLimit > 0, "a pool that can do nothing")
        core = PoolCore(name: name, threadLimit: threads, queueLimit: queueLimit)
    }

    deinit {
        core.stop()
    }

    /// Runs the body on a thread of the pool and comes back to the caller's loop; throws `PoolFull` at the limit.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            do {
                try core.submit { continuation.resume(with: Result { try body() }) }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// The process's pool for files and name resolution.
package enum BlockingPool {
    // Four threads hide the latency of a disk; a thousand waiting calls mean that the disk hangs.
    private static let pool = ThreadPool(name: "blocking", threads: 4, queueLimit: 1024)

    /// Runs a blocking body off the loop and comes back to it.
    package static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.run(body)
    }
}

/// What the pool's threads share; it outlives the pool until the last thread has left.
private final class PoolCore: Sendable {
    private struct State {
        var queue: [@Sendable () -> Void] = []
        var head = 0
        var threads = 0
        var idle = 0
        var isStopped = false

        var waiting: Int { queue.count - head }

        mutating func take() -> (@Sendable () -> Void)? {
            guard head < queue.count else { return nil }
            defer {
                head += 1
                // Compacts when half is dead, so that taking stays cheap and the memory bounded.
                if head * 2 > queue.count {
                    queue.removeFirst(head)
                    head = 0
                }
            }
            return queue[head]
        }
    }

    private let name: String
    private let threadLimit: Int
    private let queueLimit: Int
    private let state = Lock(State())
    private let work = ThreadSemaphore()

    init(name: String, threadLimit: Int, queueLimit: Int) {
        self.name = name
        self.threadLimit = threadLimit
        self.queueLimit = queueLimit
    }

    func submit(_ body: @escaping @Sendable () -> Void) throws {
        let (isAccepted, needsThread) = state.withLock { state in
            guard state.waiting < queueLimit else { return (false, false) }
            state.queue.append(body)
            let needsThread = state.waiting > state.idle && state.threads < threadLimit
            if needsThread { state.threads += 1 }
            return (true, needsThread)
        }
        guard isAccepted else { throw PoolFull(pool: name) }
        if needsThread { startThread() }
        work.signal()
    }

    func stop() {
        let threads = state.withLock { state in
            state.isStopped = true
            return state.threads
        }
        for _ in 0..<threads { work.signal() }
    }

    private func startThread() {
        do {
            try DedicatedThread.start(name: name) { [self] in serve() }
        } catch {
            // Without any thread the body would wait for ever; with one it only waits longer.
            let isAlone = state.withLock { state in
                state.threads -= 1
                return state.threads == 0
            }
            if isAlone { preconditionFailure("no thread for the pool \(name): \(error)") }
        }
    }

    private func serve() {
        while true {
            state.withLock { $0.idle += 1 }
            work.wait()
            let (body, isStopped) = state.withLock { state in
                state.idle -= 1
                return (state.take(), state.isStopped)
            }
            if let body {
                body()
            } else if isStopped {
                return
            }
        }
    }
}
