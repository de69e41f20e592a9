package import Core

/// The shared buckets in memory, by the same rule as the real ones, which a test may take away or let hang.
package final class InMemoryBuckets: SharedBuckets {
    package var isReachable = true
    /// While it hangs nothing is answered; the answers come when it goes on.
    package var hangs = false {
        didSet {
            guard !hangs else { return }
            let waiting = self.waiting
            self.waiting = []
            for answer in waiting { answer() }
        }
    }
    /// The calls that came, each time `settle` was called.
    package private(set) var settled: [[RateCall]] = []

    private let clock: () -> Int64
    private var fullAt: [String: Int64] = [:]
    private var waiting: [() -> Void] = []

    /// Full buckets on a clock in microseconds.
    package init(clock: @escaping () -> Int64) {
        self.clock = clock
    }

    /// Forgets everything, as a flush of the real store would.
    package func lose() { fullAt = [:] }

    package func settle(_ calls: [RateCall], _ done: @escaping ([RateOutcome]?) -> Void) {
        settled.append(calls)
        guard isReachable else { return done(nil) }
        let answer = { [self] in done(calls.map { outcome($0) }) }
        if hangs { waiting.append(answer) } else { answer() }
    }

    private func outcome(_ call: RateCall) -> RateOutcome {
        let now = clock()
        var debts = call.charges.map { charge in
            min(max((fullAt[charge.key] ?? now) - now, 0), charge.interval * charge.burst)
        }
        let fits = zip(call.charges, debts).allSatisfy { charge, debt in
            debt + charge.interval * charge.cost <= charge.interval * charge.burst
        }
        guard fits || call.isOwed else { return RateOutcome(isCharged: false, debts: debts) }
        for (index, charge) in call.charges.enumerated() {
            debts[index] = max(debts[index] + charge.interval * charge.cost, 0)
            fullAt[charge.key] = now + debts[index]
        }
        return RateOutcome(isCharged: true, debts: debts)
    }
}
