/// How long a client may still take over its request body: a trickle uses the time up, and what comes earns it back.
///
/// Only waiting for the client counts: a handler that is slow to read costs it nothing.
struct BodyPace {
    private let rate: Int
    private let ceiling: Duration
    /// The time left; a body that has none is given up.
    private(set) var patience: Duration

    init(_ limits: ServerLimits) {
        rate = limits.bodyRate
        // What came fast at first buys no more than one long pause, or a large body could be followed by a trickle.
        ceiling = max(limits.bodyGrace, limits.bodyIdleTimeout)
        patience = limits.bodyGrace
    }

    /// Notes the bytes that a wait for the client ended with.
    mutating func note(_ count: Int, after wait: Duration) {
        patience = min(patience - wait + .seconds(count) / rate, ceiling)
    }
}
