/// A rate: `burst` at once, refilled at one per interval.
package struct RatePolicy: Sendable, Hashable {
    /// What clients know it by; it never holds anything of a client's own.
    package let name: String
    /// Requests that a full bucket lets through at once, at least one.
    package let burst: Int64
    /// The microseconds in which one comes back, at least one.
    package let interval: Int64

    /// An empty bucket takes no longer than a year to fill: beyond, a double in Redis would lose single microseconds.
    private static let longest: Int64 = 31_536_000_000_000

    /// Makes a policy; numbers that make no sense are moved to the nearest that do.
    package init(name: String, burst: Int, interval: Duration) {
        let (seconds, attoseconds) = interval.components
        let micros = min(max(seconds, 0), Self.longest / 1_000_000) * 1_000_000 + attoseconds / 1_000_000_000_000
        self.name = name
        self.interval = min(max(micros, 1), Self.longest)
        self.burst = min(max(Int64(burst), 1), Self.longest / self.interval)
    }

    /// The microseconds in which an empty bucket fills.
    package var capacity: Int64 { burst * interval }

    /// The same in seconds, rounded up: the window in which `burst` requests are always let through.
    package var window: Int64 { (capacity + 999_999) / 1_000_000 }
}
