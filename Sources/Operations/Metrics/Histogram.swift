import Platform

/// A distribution over fixed upper bounds.
package final class Histogram: Sendable {
    /// Bounds for the time of a request, from half a millisecond to ten seconds.
    package static let secondsBuckets = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    struct Counts: Sendable {
        var buckets: [Int]
        var count = 0
        var sum = 0.0
    }

    private let bounds: [Double]
    private let counts: Lock<Counts>

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Lock(Counts(buckets: Array(repeating: 0, count: bounds.count)))
    }

    /// Notes one value; a value that is no number is left out.
    package func observe(_ value: Double) {
        guard !value.isNaN else { return }
        let index = bounds.firstIndex { value <= $0 }
        counts.withLock { counts in
            if let index { counts.buckets[index] += 1 }
            counts.count += 1
            counts.sum += value
        }
    }

    /// Notes a time span in seconds.
    package func observe(_ span: Duration) {
        observe(span / .seconds(1))
    }

    var snapshot: Counts { counts.withLock { $0 } }
}

/// The histograms of one name, told apart by their labels.
package final class HistogramFamily: MetricFamily {
    let head: MetricHead
    private let buckets: [Double]
    private let table = Lock(SeriesTable<Histogram>())

    init(_ head: MetricHead, buckets: [Double]) {
        self.head = head
        self.buckets = buckets
    }

    /// The histogram of these label values; keep it where it is used often.
    package func with(_ values: [String] = []) -> Histogram {
        table.withLock { $0.find(values, head: head) { Histogram(bounds: buckets) } }
    }

    func render(into text: inout String) {
        head.render(into: &text)
        for (values, histogram) in table.withLock({ $0.sorted }) {
            let counts = histogram.snapshot
            var total = 0
            for (bound, count) in zip(buckets, counts.buckets) {
                total += count
                text += "\(head.name)_bucket\(head.labelText(values, extra: "le=\"\(bound)\"")) \(total)\n"
            }
            text += "\(head.name)_bucket\(head.labelText(values, extra: "le=\"+Inf\"")) \(counts.count)\n"
            text += "\(head.name)_sum\(head.labelText(values)) \(counts.sum)\n"
            text += "\(head.name)_count\(head.labelText(values)) \(counts.count)\n"
        }
    }
}
