import Core
import Platform
import Queue
import TestSupport
import Testing

/// The buckets that all loops share, held to the same promises in Redis and in memory.
@Suite(.timeLimit(.minutes(1))) struct SharedBucketsTests {
    enum Backend: CaseIterable, Sendable { case memory, redis }

    /// Slow enough that nothing comes back while a test runs.
    private static let slow = RatePolicy(name: "slow", burst: 5, interval: .seconds(3_600))

    private func hold(
        _ backend: Backend,
        _ body: @escaping @Sendable (any SharedBuckets, Rig) async throws -> Void
    ) async throws {
        try await Rig.run { rig in
            let loop = rig.loop
            switch backend {
            case .memory:
                try await body(InMemoryBuckets { Int64(clamping: loop.now.nanoseconds / 1_000) }, rig)
            case .redis: try await body(rig.queue.buckets, rig)
            }
        }
    }

    private func take(_ key: String, _ policy: RatePolicy = slow, _ cost: Int64 = 1, owed: Bool = false) -> RateCall {
        RateCall([RateCharge(key: key, policy: policy, cost: cost)], isOwed: owed)
    }

    @Test(arguments: Backend.allCases) func `the burst passes, then nothing, each key apart`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { buckets, _ in
            let outcomes = try #require(await buckets.settle((0..<7).map { _ in take("a") } + [take("b")]))
            #expect(outcomes.map(\.isCharged) == [true, true, true, true, true, false, false, true])
            let hours = outcomes.map { Int((Double($0.debts[0]) / 3_600_000_000).rounded()) }
            #expect(hours == [1, 2, 3, 4, 5, 5, 5, 1])
        }
    }

    @Test(arguments: Backend.allCases) func `one comes back after each interval`(_ backend: Backend) async throws {
        try await hold(backend) { buckets, rig in
            let quick = RatePolicy(name: "quick", burst: 2, interval: .milliseconds(40))
            let outcomes = try #require(await buckets.settle([take("q", quick), take("q", quick), take("q", quick)]))
            #expect(outcomes.map(\.isCharged) == [true, true, false])
            #expect(
                await rig.eventually { await buckets.settle([take("q", quick)])?.first?.isCharged == true }
            )
        }
    }

    @Test(arguments: Backend.allCases) func `a call is charged in all of its buckets or in none`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { buckets, _ in
            let both = RateCall([
                RateCharge(key: "free", policy: Self.slow, cost: 1),
                RateCharge(key: "tight", policy: Self.slow, cost: 3),
            ])
            let outcomes = try #require(await buckets.settle([both, both, take("free", Self.slow, 4)]))
            #expect(outcomes.map(\.isCharged) == [true, false, true])
        }
    }

    @Test(arguments: Backend.allCases) func `a cost counts as it is, and one above the burst never passes`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { buckets, _ in
            let calls = [
                take("a", Self.slow, 6), take("a", Self.slow, 5), take("b", Self.slow, 4), take("b", Self.slow, 2),
            ]
            let outcomes = try #require(await buckets.settle(calls))
            #expect(outcomes.map(\.isCharged) == [false, true, true, false])
        }
    }

    @Test(arguments: Backend.allCases) func `what is owed is charged without room, and what is given back is room`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { buckets, _ in
            let first = try #require(
                await buckets.settle([
                    take("a", Self.slow, 7, owed: true), take("a"), take("a", Self.slow, -9, owed: true),
                ])
            )
            #expect(first.map(\.isCharged) == [true, false, true])
            #expect(first[2].debts == [0])
            #expect(await buckets.settle([take("a", Self.slow, 5)])?.first?.isCharged == true)
        }
    }

    @Test(arguments: Backend.allCases) func `of a thousand at once exactly the burst passes`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { buckets, rig in
            let policy = RatePolicy(name: "crowd", burst: 137, interval: .seconds(60))
            var (passed, answered) = (0, 0)
            for _ in 0..<1_000 {
                rig.loop.spawnLocal {
                    if await buckets.settle([take("crowd", policy)])?.first?.isCharged == true { passed += 1 }
                    answered += 1
                }
            }
            #expect(await rig.eventually { answered == 1_000 })
            #expect(passed == 137)
        }
    }

    @Test func `the longest bucket is exact in a double`() async throws {
        try await hold(.redis) { buckets, _ in
            let widest = RatePolicy(name: "widest", burst: .max, interval: .seconds(31_536_000))
            #expect(widest.burst == 1)
            let year = try #require(await buckets.settle([take("year", widest), take("year", widest)]))
            #expect(year.map(\.isCharged) == [true, false])
            #expect(year[0].debts == [31_536_000_000_000])
            let finest = RatePolicy(name: "finest", burst: .max, interval: .nanoseconds(1))
            #expect(finest.interval == 1)
            #expect(
                await buckets.settle([take("fine", finest, finest.burst), take("fine", finest, finest.burst)])?
                    .map(\.isCharged) == [true, false]
            )
        }
    }

    @Test func `a clock that Redis set back costs one bucket at most`() async throws {
        try await hold(.redis) { buckets, rig in
            // A number as a clock far in the future would have left it.
            _ = try await rig.redis.command("SET future 4000000000000000")
            let refused = try #require(await buckets.settle([take("future")]))
            #expect(refused == [RateOutcome(isCharged: false, debts: [Self.slow.capacity])])
            // Garbage in the key, or another type's number, is a full bucket.
            _ = try await rig.redis.command("SET garbage words")
            #expect(await buckets.settle([take("garbage")])?.first?.isCharged == true)
        }
    }

    @Test func `a bucket leaves Redis when it is full again`() async throws {
        try await hold(.redis) { buckets, rig in
            let quick = RatePolicy(name: "quick", burst: 3, interval: .milliseconds(10))
            _ = await buckets.settle([take("gone", quick)])
            #expect(await rig.eventually { (try? await rig.redis.command("EXISTS gone")) == ":0\r\n" })
            _ = await buckets.settle([take("given", Self.slow), take("given", Self.slow, -1, owed: true)])
            let isThere = try await rig.redis.command("EXISTS given")
            #expect(isThere == ":0\r\n")
        }
    }

    @Test func `calls of one turn share one write`() async throws {
        try await hold(.redis) { buckets, rig in
            _ = await buckets.settle([take("warm")])
            let before = rig.queue.writes
            var answered = 0
            for number in 0..<20 {
                buckets.settle([take("k\(number)")]) { outcomes in if outcomes != nil { answered += 1 } }
            }
            #expect(await rig.eventually { answered == 20 })
            #expect(rig.queue.writes == before + 1)
        }
    }
}

extension SharedBuckets {
    func settle(_ calls: [RateCall]) async -> [RateOutcome]? {
        let answered = LoopCondition()
        var answer: [RateOutcome]??
        settle(calls) { outcomes in
            answer = .some(outcomes)
            answered.signalAll()
        }
        while answer == nil { await answered.wait() }
        return answer.flatMap { $0 }
    }
}
