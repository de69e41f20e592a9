import Auth
import Platform

/// A rate limit of one loop: GCRA over a bounded table of keys.
final class LocalRates {
    private let emission: Int64
    private let burst: Int64
    private var arrivals: [String: Int64] = [:]

    /// Bounds memory; when full, keys whose bucket is full again are dropped first.
    private static let capacity = 20_000

    /// `burst` requests at once, then one per `emission`.
    init(burst: Int, emission: Duration) {
        self.burst = Int64(burst)
        self.emission = emission.wholeMicroseconds
    }

    /// Takes one; answers 0 when allowed, else the seconds to wait.
    func take(_ key: String, at now: Instant) -> Int {
        let micros = Int64(now.nanoseconds / 1_000)
        let decision = Throttle.decide(
            tat: arrivals[key],
            now: micros,
            emissionInterval: emission,
            burst: burst
        )
        if arrivals.count >= LocalRates.capacity, arrivals[key] == nil {
            arrivals = arrivals.filter { $0.value > micros }
            if arrivals.count >= LocalRates.capacity { arrivals.removeAll(keepingCapacity: true) }
        }
        arrivals[key] = decision.newTAT
        guard !decision.isAllowed else { return 0 }
        return Int((decision.retryAfter ?? 1_000_000) / 1_000_000) + 1
    }
}
