/// What is taken from one bucket.
package struct RateCharge: Sendable, Hashable {
    /// The bucket's name, unique over all policies.
    package var key: String
    package var interval: Int64
    package var burst: Int64
    /// How many requests' worth; below nought when some are given back.
    package var cost: Int64

    /// Takes `cost` from the bucket `key` under a policy.
    package init(key: String, policy: RatePolicy, cost: Int64) {
        self.key = key
        interval = policy.interval
        burst = policy.burst
        self.cost = cost
    }
}

/// Charges that stand or fall together.
package struct RateCall: Sendable {
    package var charges: [RateCharge]
    /// They were let through already: charged whether there is room or not.
    package var isOwed: Bool

    /// Gathers charges.
    package init(_ charges: [RateCharge], isOwed: Bool = false) {
        self.charges = charges
        self.isOwed = isOwed
    }
}

/// What became of one call.
package struct RateOutcome: Sendable, Equatable {
    /// Whether the charges were made.
    package var isCharged: Bool
    /// Of each bucket in its order, the microseconds until it is full again.
    package var debts: [Int64]

    /// Makes an outcome.
    package init(isCharged: Bool, debts: [Int64]) {
        self.isCharged = isCharged
        self.debts = debts
    }
}

/// Buckets that all loops and replicas share (GCRA); they may be away, and may lose everything.
package protocol SharedBuckets: AnyObject {
    /// Whether an answer may be hoped for at all.
    var isReachable: Bool { get }
    /// Settles calls in their order, in one round trip; `done` hears one outcome for each, or nil when it failed.
    func settle(_ calls: [RateCall], _ done: @escaping ([RateOutcome]?) -> Void)
}
