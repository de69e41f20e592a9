package import Core
package import Platform

/// The rate limiter of one process, in bounded memory (GCRA); what stands in while Redis is away.
package final class LocalRateLimiter: RateLimiter {
    /// Buckets that are not full; beyond this some are forgotten, which only ever lets more through.
    private static let defaultCapacity = 65_536

    private let capacity: Int
    private let now: () -> Instant
    /// When each bucket will be full again.
    private var fullAt: [String: Instant] = [:]

    /// A limiter on the loop's clock.
    package init(capacity: Int = LocalRateLimiter.defaultCapacity, now: @escaping () -> Instant) {
        self.capacity = capacity
        self.now = now
    }

    package func take(_ key: String, _ policy: RatePolicy) async -> RateVerdict { decide(key, policy) }

    func decide(_ key: String, _ policy: RatePolicy) -> RateVerdict {
        let now = now()
        let name = RateKey.name(key, policy)
        let base = max(fullAt[name] ?? now, now)
        let full = base.advanced(by: policy.interval)
        let wait = full - now - policy.interval * policy.burst
        guard wait <= .zero else { return RateKey.denied(after: wait) }
        if fullAt[name] == nil, fullAt.count >= capacity { makeRoom(at: now) }
        fullAt[name] = full
        return RateVerdict(
            isAllowed: true,
            remaining: Int(RateKey.intervals(.zero - wait, per: policy.interval)),
            retryAfter: 0
        )
    }

    private func makeRoom(at now: Instant) {
        fullAt = fullAt.filter { $0.value > now }
        // An eighth at a time, so that a flood of keys does not buy a walk over all of them each.
        let surplus = fullAt.count - capacity * 7 / 8
        for key in Array(fullAt.keys.prefix(max(0, surplus))) { fullAt[key] = nil }
    }
}

/// What the shared and the local limiter have in common.
enum RateKey {
    static func name(_ key: String, _ policy: RatePolicy) -> String { "rl:\(policy.name):\(key)" }

    static func denied(after wait: Duration) -> RateVerdict {
        RateVerdict(isAllowed: false, remaining: 0, retryAfter: max(1, Int((wait / .seconds(1)).rounded(.up))))
    }

    /// How many whole intervals a time holds.
    static func intervals(_ time: Duration, per interval: Duration) -> Double { (time / interval).rounded(.down) }
}
