/// A limiter's verdict on one request.
package struct ThrottleDecision: Sendable, Equatable {
    /// Whether the request may pass.
    package var isAllowed: Bool
    /// The number to keep for the key; a refused request does not move it.
    package var newTAT: Int64
    /// Microseconds until the same request would pass; 0 when it passed, nil when it never will.
    package var retryAfter: Int64?
    /// Requests of cost 1 that would pass at once.
    package var remaining: Int64
}

/// The generic cell rate algorithm as a function: one number for each key, the theoretical arrival time (TAT).
package enum Throttle {
    /// Judges a request; all times are microseconds on one clock.
    ///
    /// The bucket holds `burst` and regains one each `emissionInterval`. A clock that was set back costs at most one full
    /// bucket, and a cost above `burst` never passes.
    package static func decide(
        tat: Int64?,
        now: Int64,
        emissionInterval: Int64,
        burst: Int64,
        cost: Int64 = 1
    ) -> ThrottleDecision {
        let interval = max(emissionInterval, 1)
        let capacity = saturating(max(burst, 0), times: interval)
        let price = saturating(max(cost, 0), times: interval)
        let earliest = max(tat ?? now, now)
        let debt = min(difference(earliest, now), capacity)
        let start = sum(now, debt)
        guard price <= capacity else {
            return ThrottleDecision(
                isAllowed: false,
                newTAT: start,
                retryAfter: nil,
                remaining: (capacity - debt) / interval
            )
        }
        guard price <= capacity - debt else {
            return ThrottleDecision(
                isAllowed: false,
                newTAT: start,
                retryAfter: price - (capacity - debt),
                remaining: (capacity - debt) / interval
            )
        }
        return ThrottleDecision(
            isAllowed: true,
            newTAT: sum(start, price),
            retryAfter: 0,
            remaining: (capacity - debt - price) / interval
        )
    }

    private static func saturating(_ left: Int64, times right: Int64) -> Int64 {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? .max : product
    }

    private static func sum(_ left: Int64, _ right: Int64) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    private static func difference(_ left: Int64, _ right: Int64) -> Int64 {
        let (difference, overflow) = left.subtractingReportingOverflow(right)
        return overflow ? .max : difference
    }
}
