/// Waiting times between attempts to connect: doubling, with full jitter so that a fleet does not return as one.
struct Backoff: Sendable {
    /// Quick enough that a restarted API is found before any lease ends.
    static let first = Duration.milliseconds(100)
    /// A worker that is away for long asks every few seconds.
    static let last = Duration.seconds(5)

    private var current = Backoff.first

    /// Starts with the shortest time.
    init() {}

    /// The next time to wait; `random` is from 0 to 1.
    mutating func next(random: Double) -> Duration {
        defer { current = min(current * 2, Self.last) }
        // Half is fixed, so that a lucky draw is no busy loop.
        return current / 2 + (current / 2) * random
    }

    /// Starts again after a success.
    mutating func reset() { current = Self.first }
}
