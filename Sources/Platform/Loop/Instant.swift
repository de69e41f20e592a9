import Glibc

/// A point on the monotonic clock.
package struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since an arbitrary start.
    package let nanoseconds: UInt64

    /// Creates an instant from its nanoseconds.
    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// The present moment.
    package static var now: Instant {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    /// The instant that much later, clamped to what fits.
    package func advanced(by duration: Duration) -> Instant {
        let (seconds, attoseconds) = duration.components
        let (scaled, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let delta = overflows ? (seconds < 0 ? Int64.min : Int64.max) : scaled
        let (sum, carries) = delta.addingReportingOverflow(attoseconds / 1_000_000_000)
        let total = carries ? delta : sum
        if total < 0 {
            return Instant(nanoseconds: total.magnitude > nanoseconds ? 0 : nanoseconds - total.magnitude)
        }
        let (moved, wraps) = nanoseconds.addingReportingOverflow(UInt64(total))
        return Instant(nanoseconds: wraps ? .max : moved)
    }

    /// Orders instants in time.
    package static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The time from the right instant to the left one.
    package static func - (left: Instant, right: Instant) -> Duration {
        left >= right
            ? .nanoseconds(Int64(clamping: left.nanoseconds - right.nanoseconds))
            : .zero - .nanoseconds(Int64(clamping: right.nanoseconds - left.nanoseconds))
    }
}
