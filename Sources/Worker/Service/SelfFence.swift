import Platform

/// Tells when this worker must kill its jobs, because its lease may have ended and another worker may run them.
///
/// Sans-IO: the caller brings the monotonic clock. The lease counts from when the beat was *sent*: the API renewed it
/// at that moment or later, so this end always stops first.
struct SelfFence: Sendable {
    /// When the jobs must be dead; nil before the first beat and after a fence.
    private(set) var deadline: Instant?
    private let margin: Duration

    /// Stops `margin` before the lease ends.
    init(margin: Duration) { self.margin = margin }

    /// Takes note of a beat that was acknowledged.
    mutating func renew(sentAt: Instant, timeToLive: Duration) {
        // A lease that is shorter than the margin still leaves half of it to work in.
        let usable = timeToLive - margin < timeToLive / 2 ? timeToLive / 2 : timeToLive - margin
        let next = sentAt.advanced(by: usable)
        if deadline.map({ $0 < next }) ?? true { deadline = next }
    }

    /// True once when the deadline has passed.
    mutating func expires(at now: Instant) -> Bool {
        guard let deadline, now >= deadline else { return false }
        self.deadline = nil
        return true
    }
}
