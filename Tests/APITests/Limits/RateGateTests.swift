import Core
import Platform
import TestSupport
import Testing

@testable import API

/// One loop's share of the limits, with the shared buckets and the clock in the test's hand.
@Suite(.timeLimit(.minutes(1))) struct RateGateTests {
    /// Loops that share buckets and a clock.
    private final class Site {
        let loop: EventLoop
        var now: Int64 = 1_000_000_000
        private(set) lazy var buckets = InMemoryBuckets { [unowned self] in now }

        init(_ loop: EventLoop) { self.loop = loop }

        func gate() -> RateGate { RateGate(buckets, loop: loop) { [self] in now } }

        func charges(_ key: String, burst: Int = 160, isStrict: Bool = false) -> RateCharges {
            let policy = RatePolicy(name: "person", burst: burst, interval: .milliseconds(20))
            return RateCharges([RateBucket("person", key, policy)], isStrict: isStrict)
        }

        /// Everything that is under way, and what it leads to.
        func settle() async { await loop.sleep(.milliseconds(15)) }
    }

    private func at(_ body: @escaping @Sendable (Site) async throws -> Void) async throws {
        let loop = try EventLoop.start(name: "gate-test")
        defer { loop.stop() }
        try await loop.run { try await body(Site(loop)) }
    }

    /// Sends requests all at once and counts those that pass.
    private func passed(_ count: Int, _ gate: RateGate, _ charges: RateCharges, on loop: EventLoop) async -> Int {
        var (passed, answered) = (0, 0)
        let done = LoopCondition()
        for _ in 0..<count {
            loop.spawnLocal {
                if await gate.take(charges).isAllowed { passed += 1 }
                answered += 1
                if answered == count { done.signalAll() }
            }
        }
        while answered < count { await done.wait() }
        return passed
    }

    @Test(arguments: [false, true]) func `of a thousand at once exactly the burst passes`(isStrict: Bool) async throws {
        try await at { site in
            let charges = site.charges("a", isStrict: isStrict)
            #expect(await passed(1_000, site.gate(), charges, on: site.loop) == 160)
            // What was refused cost the shared buckets nothing.
            #expect(site.buckets.settled.flatMap { $0 }.flatMap(\.charges).reduce(0) { $0 + $1.cost } <= 160)
        }
    }

    @Test func `what is left only falls, is never below nought, and comes back at its time`() async throws {
        try await at { site in
            let (gate, charges) = (site.gate(), site.charges("a", burst: 5))
            var left: [Int64] = []
            for _ in 0..<5 {
                let verdict = await gate.take(charges)
                #expect(verdict.isAllowed)
                left.append(verdict.remaining)
            }
            #expect(left == [4, 3, 2, 1, 0])
            for _ in 0..<3 {
                let refused = await gate.take(charges)
                #expect(!refused.isAllowed && refused.remaining == 0 && refused.seconds == 1)
            }
            site.now += 19_999
            #expect(await !gate.take(charges).isAllowed)
            site.now += 1
            #expect(await gate.take(charges).isAllowed)
            #expect(await !gate.take(charges).isAllowed)
        }
    }

    @Test func `two keys do not touch each other`() async throws {
        try await at { site in
            let gate = site.gate()
            let (one, two) = (site.charges("one", burst: 3), site.charges("two", burst: 3))
            for _ in 0..<9 { _ = await gate.take(one) }
            #expect(await !gate.take(one).isAllowed)
            #expect(await gate.take(two).remaining == 2)
        }
    }

    @Test func `all questions of one turn are one call, and a flood is none`() async throws {
        try await at { site in
            let gate = site.gate()
            var answered = 0
            for number in 0..<50 {
                let charges = site.charges("k\(number)")
                site.loop.spawnLocal {
                    _ = await gate.take(charges)
                    answered += 1
                }
            }
            await site.settle()
            #expect(answered == 50)
            #expect(site.buckets.settled.count == 1)
            let flooded = site.charges("flood", burst: 2, isStrict: true)
            for _ in 0..<2 { #expect(await gate.take(flooded).isAllowed) }
            let before = site.buckets.settled.count
            for _ in 0..<10_000 { #expect(await !gate.take(flooded).isAllowed) }
            #expect(site.buckets.settled.count == before)
        }
    }

    @Test func `far from the limit nobody waits, and the shared bucket hears of it soon`() async throws {
        try await at { site in
            let (gate, charges) = (site.gate(), site.charges("a"))
            _ = await gate.take(charges)
            site.buckets.hangs = true
            let began = site.loop.now
            // A sixteenth of the burst.
            for _ in 0..<10 { #expect(await gate.take(charges).isAllowed) }
            #expect(site.loop.now - began < .milliseconds(40))
            site.buckets.hangs = false
            await site.settle()
            let told = site.buckets.settled.flatMap { $0 }.flatMap(\.charges)
            #expect(told.map(\.cost).reduce(0, +) == 11)
            // Knowledge of more than a second ago is none.
            site.now += 1_000_001
            let calls = site.buckets.settled.count
            #expect(await gate.take(charges).isAllowed)
            #expect(site.buckets.settled.count == calls + 1)
        }
    }

    @Test(arguments: [2, 8, 32])
    func `many loops together let through a sixteenth of the burst each too many at most`(loops: Int) async throws {
        try await at { site in
            let gates = (0..<loops).map { _ in site.gate() }
            let charges = gates.map { _ in site.charges("shared") }
            for (gate, own) in zip(gates, charges) { #expect(await gate.take(own).isAllowed) }
            await site.settle()
            // From here on nothing is answered: the worst that can come between a request and the shared buckets.
            site.buckets.hangs = true
            var total = loops
            for (gate, own) in zip(gates, charges) {
                var count = 0
                site.loop.spawnLocal {
                    while count < 400 {
                        guard await gate.take(own).isAllowed else { break }
                        count += 1
                        total += 1
                    }
                }
            }
            await site.loop.sleep(.milliseconds(20))
            #expect(total <= loops + loops * 160 / 16)
            site.buckets.hangs = false
            await site.settle()
            #expect(total <= 160 + loops * 160 / 16)
            #expect(total >= 160)
        }
    }

    @Test func `without the shared buckets each loop counts by itself: never unlimited, never closed`() async throws {
        try await at { site in
            let (gate, charges) = (site.gate(), site.charges("a", isStrict: true))
            for _ in 0..<60 { #expect(await gate.take(charges).isAllowed) }
            site.buckets.isReachable = false
            #expect(await passed(1_000, gate, charges, on: site.loop) == 100)
            site.now += 20_000
            #expect(await gate.take(charges).isAllowed)
            // It comes back empty: at most one more burst.
            site.buckets.lose()
            site.buckets.isReachable = true
            site.now += 20_000
            var more = 0
            while more < 1_000, await gate.take(charges).isAllowed { more += 1 }
            #expect((1...160).contains(more))
        }
    }

    @Test func `a store that hangs keeps the first to ask for a moment, and nobody after that`() async throws {
        try await at { site in
            let (gate, charges) = (site.gate(), site.charges("a", isStrict: true))
            site.buckets.hangs = true
            let began = site.loop.now
            #expect(await gate.take(charges).isAllowed)
            #expect(site.loop.now - began >= .milliseconds(50))
            site.now += 60_000
            let second = site.loop.now
            #expect(await passed(1_000, gate, charges, on: site.loop) <= 160)
            #expect(site.loop.now - second < .milliseconds(50))
            site.buckets.hangs = false
            await site.settle()
            site.now += 10_000_000
            #expect(await gate.take(charges).isAllowed)
        }
    }

    @Test func `what succeeded is given back here and in the shared bucket`() async throws {
        try await at { site in
            let (gate, charges) = (site.gate(), site.charges("a", burst: 3, isStrict: true))
            for _ in 0..<20 {
                #expect(await gate.take(charges).isAllowed)
                gate.settle(charges, -1)
            }
            await site.settle()
            let other = (gate: site.gate(), charges: site.charges("a", burst: 3, isStrict: true))
            #expect(await other.gate.take(other.charges).remaining == 2)
            // Nothing is given back beyond a full bucket.
            for _ in 0..<9 { gate.settle(charges, -1) }
            #expect(await passed(10, gate, charges, on: site.loop) <= 3)
        }
    }

    @Test func `a request is charged in all of its buckets or in none`() async throws {
        try await at { site in
            let gate = site.gate()
            let wide = RateBucket("person", "a", RatePolicy(name: "person", burst: 10, interval: .seconds(1)))
            let tight = RateBucket("run", "a", RatePolicy(name: "run", burst: 2, interval: .seconds(1)))
            let both = RateCharges([wide, tight])
            for left: Int64 in [1, 0] {
                let verdict = await gate.take(both)
                #expect(verdict.isAllowed && verdict.remaining == left && verdict.bucket === tight)
            }
            for _ in 0..<20 {
                let refused = await gate.take(both)
                #expect(!refused.isAllowed && refused.bucket === tight)
            }
            #expect(await gate.take(RateCharges([wide])).remaining == 7)
        }
    }

    @Test func `another loop's requests are known before the last place is given`() async throws {
        try await at { site in
            let (first, second) = (site.gate(), site.gate())
            let (mine, theirs) = (site.charges("a"), site.charges("a"))
            _ = await second.take(theirs)
            for _ in 0..<159 { #expect(await first.take(mine).isAllowed) }
            await site.settle()
            var allowed = 0
            for _ in 0..<50 where await second.take(theirs).isAllowed { allowed += 1 }
            // The second loop's knowledge was fresh: it may be wrong by a sixteenth, and then learns of it.
            #expect(allowed <= 10)
            await site.settle()
            #expect(await !second.take(theirs).isAllowed)
        }
    }
}
