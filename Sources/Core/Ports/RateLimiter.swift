/// A rate: `burst` at once, refilled at one per `interval`.
package struct RatePolicy: Sendable, Hashable {
    package var name: String
    package var burst: Int
    package var interval: Duration

    /// Makes a policy.
    package init(name: String, burst: Int, interval: Duration) {
        self.name = name
        self.burst = burst
        self.interval = interval
    }
}

/// A limiter's answer.
package struct RateVerdict: Sendable, Equatable {
    package var isAllowed: Bool
    package var remaining: Int
    /// Seconds, rounded up, until another request may pass; 0 when one may now.
    package var retryAfter: Int

    /// Makes a verdict.
    package init(isAllowed: Bool, remaining: Int, retryAfter: Int) {
        self.isAllowed = isAllowed
        self.remaining = remaining
        self.retryAfter = retryAfter
    }
}

/// Rate limits shared by all processes; a local limiter takes over when the shared one is away.
package protocol RateLimiter: AnyObject {
    /// Takes one from the bucket of `key` under `policy`.
    func take(_ key: String, _ policy: RatePolicy) async -> RateVerdict
}
