import Platform
import Testing

@testable import Worker

private let start = Instant(nanoseconds: 1_000_000_000_000)

private func at(_ seconds: Double) -> Instant { start.advanced(by: .milliseconds(Int(seconds * 1_000))) }

@Suite struct SelfFenceTests {
    @Test func `without any beat there is nothing to fence`() {
        var fence = SelfFence(margin: .seconds(4))
        let isExpired = fence.expires(at: at(1_000_000))
        #expect(!isExpired)
    }

    @Test func `the lease ends a margin early, counted from when the beat was sent`() {
        var fence = SelfFence(margin: .seconds(4))
        fence.renew(sentAt: at(0), timeToLive: .seconds(20))
        #expect(fence.deadline == at(16))
        let before = fence.expires(at: at(15.999))
        let after = fence.expires(at: at(16))
        #expect(!before)
        #expect(after)
    }

    @Test func `each beat moves the end, a late answer to an old one does not`() {
        var fence = SelfFence(margin: .seconds(4))
        for second in stride(from: 0, through: 100, by: 5) {
            let isExpired = fence.expires(at: at(Double(second)))
            #expect(!isExpired)
            fence.renew(sentAt: at(Double(second)), timeToLive: .seconds(20))
        }
        fence.renew(sentAt: at(50), timeToLive: .seconds(20))
        #expect(fence.deadline == at(116))
    }

    @Test func `it fences once, and again only after a new beat`() {
        var fence = SelfFence(margin: .seconds(4))
        fence.renew(sentAt: at(0), timeToLive: .seconds(20))
        let answers = [at(20), at(21), at(1_000)].map { fence.expires(at: $0) }
        #expect(answers == [true, false, false])
        fence.renew(sentAt: at(1_000), timeToLive: .seconds(20))
        let again = fence.expires(at: at(1_016))
        #expect(again)
    }

    @Test func `a lease shorter than the margin leaves half of itself`() {
        var fence = SelfFence(margin: .seconds(4))
        fence.renew(sentAt: at(0), timeToLive: .seconds(2))
        #expect(fence.deadline == at(1))
    }
}

@Suite struct BackoffTests {
    @Test func `waits double up to the limit, and start again after a success`() {
        var backoff = Backoff()
        let waits = (0..<8).map { _ in backoff.next(random: 1) }
        #expect(waits.prefix(3) == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(waits.last == .seconds(5))
        backoff.reset()
        let first = backoff.next(random: 1)
        #expect(first == .milliseconds(100))
    }

    @Test func `jitter takes at most half`() {
        var low = Backoff()
        var high = Backoff()
        for _ in 0..<8 {
            let (least, most) = (low.next(random: 0), high.next(random: 1))
            #expect(least * 2 == most)
        }
    }
}
