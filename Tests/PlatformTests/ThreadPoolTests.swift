import Glibc
import Platform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ThreadPoolTests {
    @Test func `the body runs off the loop and the caller comes back to it`() async throws {
        try await onLoop { loop in
            let pool = ThreadPool(name: "pool", threads: 2, queueLimit: 10)
            let isElsewhere = try await pool.run { EventLoop.current == nil }
            #expect(isElsewhere)
            #expect(loop.isOnLoop)
            await #expect(throws: PlatformError(stage: "body", errno: EIO)) {
                try await pool.run { throw PlatformError(stage: "body", errno: EIO) }
            }
            #expect(loop.isOnLoop)
        }
    }

    @Test func `work beyond the queue is refused, and the rest is done`() async throws {
        let pool = ThreadPool(name: "small", threads: 1, queueLimit: 3)
        let outcome = try await onLoop { loop in
            let entered = Tally()
            let release = Tally()
            return await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    (try? await pool.run {
                        entered.add()
                        while release.count == 0 { sched_yield() }
                        return true
                    }) ?? false
                }
                while entered.count == 0 { await Task.yield() }
                for _ in 0..<3 { group.addTask { (try? await pool.run { true }) ?? false } }
                for _ in 0..<10 { await Task.yield() }
                do {
                    _ = try await pool.run { true }
                    Issue.record("the queue takes more than its limit")
                } catch {
                    #expect(error is PoolFull)
                }
                release.add()
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
        }
        #expect(outcome == 4)
    }

    @Test func `two thousand bodies on four threads all come back`() async throws {
        let pool = ThreadPool(name: "many", threads: 4, queueLimit: 5000)
        let sum = try await onLoop { loop in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<2000 { group.addTask { try await pool.run { number } } }
                return try await group.reduce(0, +)
            }
        }
        #expect(sum == 1_999_000)
    }

    @Test func `a lock keeps a counter whole`() async {
        let counter = Shared()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { @concurrent in
                    for _ in 0..<5000 { counter.value.withLock { $0 += 1 } }
                }
            }
        }
        #expect(counter.value.withLock { $0 } == 40_000)
    }
}

private final class Shared: Sendable {
    let value = Lock(0)
}
