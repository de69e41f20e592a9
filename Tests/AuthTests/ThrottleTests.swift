import Auth
import Testing

struct ThrottleTests {
    private let second: Int64 = 1_000_000

    private func decide(_ tat: Int64?, _ now: Int64, burst: Int64 = 3, cost: Int64 = 1) -> ThrottleDecision {
        Throttle.decide(tat: tat, now: now, emissionInterval: second, burst: burst, cost: cost)
    }

    @Test func `exactly the burst passes at once, and remaining counts down to nothing`() {
        var tat: Int64?
        var remaining: [Int64] = []
        for _ in 0..<3 {
            let decision = decide(tat, 100)
            #expect(decision.isAllowed)
            #expect(decision.retryAfter == 0)
            remaining.append(decision.remaining)
            tat = decision.newTAT
        }
        #expect(remaining == [2, 1, 0])
        let refused = decide(tat, 100)
        #expect(!refused.isAllowed)
        #expect(refused.retryAfter == second)
        #expect(refused.remaining == 0)
        #expect(refused.newTAT == tat)
    }

    @Test func `of a thousand at one instant exactly the burst passes`() {
        var tat: Int64?
        var allowed = 0
        for _ in 0..<1000 {
            let decision = decide(tat, 5, burst: 20)
            if decision.isAllowed { allowed += 1 }
            tat = decision.newTAT
        }
        #expect(allowed == 20)
    }

    @Test func `the refill comes at its instant and not one microsecond sooner`() {
        let full = 100 + 3 * second
        #expect(!decide(full, 100 + second - 1).isAllowed)
        #expect(decide(full, 100 + second - 1).retryAfter == 1)
        #expect(decide(full, 100 + second).isAllowed)
        #expect(!decide(decide(full, 100 + second).newTAT, 100 + second).isAllowed)
    }

    @Test func `waiting as long as was said is enough`() throws {
        let refused = decide(100 + 3 * second, 12_345)
        let wait = try #require(refused.retryAfter)
        #expect(decide(refused.newTAT, 12_345 + wait).isAllowed)
        #expect(!decide(refused.newTAT, 12_345 + wait - 1).isAllowed)
    }

    @Test func `a long pause saves no more than the burst`() {
        #expect(decide(0, 1_000_000 * second).remaining == 2)
    }

    @Test func `a request may cost several, up to the burst`() {
        #expect(decide(nil, 0, cost: 3).isAllowed)
        #expect(decide(nil, 0, cost: 3).remaining == 0)
        #expect(decide(second, 0, cost: 3).retryAfter == second)
        let never = decide(nil, 0, cost: 4)
        #expect(!never.isAllowed)
        #expect(never.retryAfter == nil)
        #expect(never.remaining == 3)
        #expect(never.newTAT == 0)
    }

    @Test func `a cost of nothing only looks`() {
        let look = decide(100 + 3 * second, 100, cost: 0)
        #expect(look.isAllowed)
        #expect(look.remaining == 0)
        #expect(look.newTAT == 100 + 3 * second)
        #expect(decide(nil, 0, cost: -5).newTAT == 0)
    }

    @Test func `a clock that was set back costs one full bucket at most`() {
        let decision = decide(1_000_000 * second, 0)
        #expect(!decision.isAllowed)
        #expect(decision.retryAfter == second)
        #expect(decision.newTAT == 3 * second)
    }

    @Test func `a bucket of nothing lets nothing pass`() {
        let decision = decide(nil, 0, burst: 0)
        #expect(!decision.isAllowed)
        #expect(decision.retryAfter == nil)
    }

    @Test(arguments: [
        (Int64.max, Int64.min, Int64.max, Int64.max), (.min, .max, .max, 2), (.max, .max, 1, .max), (.max, 0, .max, 3),
        (.min, .min, 0, 1),
    ])
    func `extreme numbers do not overflow`(tat: Int64, now: Int64, interval: Int64, burst: Int64) {
        let decision = Throttle.decide(tat: tat, now: now, emissionInterval: interval, burst: burst, cost: 1)
        #expect(decision.remaining >= 0)
        #expect((decision.retryAfter ?? 0) >= 0)
    }

    @Test func `two keys do not touch each other`() {
        var tats: [Int: Int64] = [:]
        for key in 0..<10_000 {
            let decision = decide(tats[key], 0)
            #expect(decision.isAllowed)
            tats[key] = decision.newTAT
        }
    }
}
