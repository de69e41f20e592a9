import Auth
import Core

/// One bucket as this loop knows it; times are microseconds of the loop's clock.
final class RateBucket {
    /// The bucket's name in the shared store.
    let key: String
    let policy: RatePolicy
    /// When it will be full again, as far as this loop knows.
    private(set) var fullAt: Int64 = .min
    /// Requests that were let through and that the shared bucket has not been told of.
    private(set) var owed: Int64 = 0
    /// Requests that the shared bucket has been told of without having answered.
    private(set) var sent: Int64 = 0
    /// When the shared bucket last answered.
    private var knownAt: Int64 = .min
    /// Whether it stands in the line of those that owe.
    var isInLine = false

    /// What a shared bucket said is taken for known this long.
    private static let memory: Int64 = 1_000_000
    /// The share of a burst that one loop may let through before the shared bucket hears of it, as a divisor.
    static let overshoot: Int64 = 16

    init(_ prefix: String, _ owner: String, _ policy: RatePolicy) {
        key = "rate:\(prefix):\(owner)"
        self.policy = policy
    }

    /// Judges a request without charging it.
    func judge(at now: Int64) -> ThrottleDecision {
        Throttle.decide(
            tat: fullAt == .min ? nil : fullAt,
            now: now,
            emissionInterval: policy.interval,
            burst: policy.burst
        )
    }

    /// Requests that would pass at once.
    func room(at now: Int64) -> Int64 {
        (policy.capacity - min(max(fullAt, now) - now, policy.capacity)) / policy.interval
    }

    /// Takes `cost` in this loop's books; below nought it is given back.
    func charge(_ cost: Int64, at now: Int64) {
        fullAt = now + min(max(max(fullAt, now) - now + cost * policy.interval, 0), policy.capacity)
    }

    /// Whether a request that was charged already may be told of later: the shared bucket was heard of just now and is
    /// at least half full, and what it does not know is a sixteenth of it at most.
    func mayOwe(at now: Int64) -> Bool {
        knownAt != .min && now - knownAt <= Self.memory && fullAt - now <= policy.capacity / 2
            && owed + sent < policy.burst / Self.overshoot
    }

    /// Notes what the shared bucket is to be told; a bucket's worth says all.
    func owe(_ cost: Int64) { owed = min(max(owed + cost, -policy.burst), policy.burst) }

    /// Moves what is owed to what is sent.
    func takeOwed() -> Int64 {
        let cost = owed
        sent += cost
        owed = 0
        return cost
    }

    /// Notes that the shared bucket is being asked for `cost`.
    func ask(_ cost: Int64) { sent += cost }

    /// Hears the shared bucket's answer to `cost`: the debt it has, to which comes what it does not know yet.
    func hear(debt: Int64, of cost: Int64, at now: Int64) {
        sent -= cost
        knownAt = now
        fullAt = now + min(max(debt + (owed + sent) * policy.interval, 0), policy.capacity)
    }

    /// Gives up an answer: what this loop counted itself still stands.
    func miss(_ cost: Int64) { sent -= cost }
}
