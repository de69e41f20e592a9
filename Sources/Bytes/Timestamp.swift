/// An instant in UTC with millisecond precision, as clients see it.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    package let milliseconds: Int64

    /// The instant `milliseconds` after the epoch.
    package init(milliseconds: Int64) { self.milliseconds = milliseconds }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// This instant moved by `duration`, held at the ends of the range.
    package func adding(_ duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return adding(milliseconds: seconds, times: 1000).adding(
            milliseconds: attoseconds / 1_000_000_000_000_000,
            times: 1
        )
    }

    /// This instant moved by whole seconds, held at the ends of the range.
    package func adding(seconds: Int) -> Timestamp { adding(milliseconds: Int64(seconds), times: 1000) }

    /// The time from `right` to `left`.
    package static func - (left: Timestamp, right: Timestamp) -> Duration {
        let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
        guard overflow else { return .milliseconds(difference) }
        return .milliseconds(left > right ? Int64.max : Int64.min)
    }

    private func adding(milliseconds count: Int64, times factor: Int64) -> Timestamp {
        let (product, overflows) = count.multipliedReportingOverflow(by: factor)
        let (sum, sumOverflows) = milliseconds.addingReportingOverflow(product)
        guard overflows || sumOverflows else { return Timestamp(milliseconds: sum) }
        return Timestamp(milliseconds: count > 0 ? .max : .min)
    }
}
