import Core
import Platform
import Queue
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct LimiterTests {
    @Test func `the shared limiter allows the burst, then one per interval, each key apart`() async throws {
        try await Rig.run { rig in
            let policy = RatePolicy(name: "login", burst: 5, interval: .seconds(10))
            for left in (0..<5).reversed() {
                let verdict = await rig.queue.limiter.take("a", policy)
                #expect(verdict == RateVerdict(isAllowed: true, remaining: left, retryAfter: 0))
            }
            #expect(
                await rig.queue.limiter.take("a", policy) == RateVerdict(isAllowed: false, remaining: 0, retryAfter: 10)
            )
            #expect(await rig.queue.limiter.take("b", policy).isAllowed)
            let quick = RatePolicy(name: "quick", burst: 1, interval: .milliseconds(20))
            #expect(await rig.queue.limiter.take("a", quick).isAllowed)
            #expect(await rig.queue.limiter.take("a", quick).isAllowed == false)
            #expect(await rig.eventually { await rig.queue.limiter.take("a", quick).isAllowed })
        }
    }

    @Test func `the local limiter keeps the same rule`() async {
        var now = Instant(nanoseconds: 1_000_000_000)
        let limiter = LocalRateLimiter { now }
        let policy = RatePolicy(name: "login", burst: 2, interval: .seconds(10))
        #expect(await limiter.take("a", policy) == RateVerdict(isAllowed: true, remaining: 1, retryAfter: 0))
        #expect(await limiter.take("a", policy) == RateVerdict(isAllowed: true, remaining: 0, retryAfter: 0))
        #expect(await limiter.take("a", policy) == RateVerdict(isAllowed: false, remaining: 0, retryAfter: 10))
        now = now.advanced(by: .milliseconds(9_500))
        #expect(await limiter.take("a", policy) == RateVerdict(isAllowed: false, remaining: 0, retryAfter: 1))
        now = now.advanced(by: .milliseconds(500))
        #expect(await limiter.take("a", policy).isAllowed)
    }

    @Test func `the local limiter stays within its memory`() async {
        let now = Instant(nanoseconds: 1)
        let limiter = LocalRateLimiter(capacity: 16) { now }
        let policy = RatePolicy(name: "login", burst: 1, interval: .seconds(10))
        for key in 0..<1_000 { #expect(await limiter.take("\(key)", policy).isAllowed) }
        #expect(await limiter.take("999", policy).isAllowed == false)
    }
}
