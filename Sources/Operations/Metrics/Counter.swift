import Platform
import Synchronization

/// A count that only rises.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    /// Raises the count.
    package func add(_ amount: Int = 1) {
        precondition(amount >= 0, "a counter never falls")
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    /// The count now.
    package var value: Int { count.load(ordering: .relaxed) }
}

/// The counters of one name, told apart by their labels.
package final class CounterFamily: MetricFamily {
    let head: MetricHead
    private let table = Lock(SeriesTable<Counter>())

    init(_ head: MetricHead) {
        self.head = head
    }

    /// The counter of these label values; keep it where it is used often.
    package func with(_ values: [String] = []) -> Counter {
        table.withLock { $0.find(values, head: head) { Counter() } }
    }

    func render(into text: inout String) {
        head.render(into: &text)
        for (values, counter) in table.withLock({ $0.sorted }) {
            text += "\(head.name)\(head.labelText(values)) \(counter.value)\n"
        }
    }
}

/// A number that rises and falls.
package final class Gauge: Sendable {
    private let number = Atomic<Int>(0)

    /// Sets the number.
    package func set(_ value: Int) {
        number.store(value, ordering: .relaxed)
    }

    /// Raises the number, or lowers it by a negative amount.
    package func add(_ amount: Int) {
        number.wrappingAdd(amount, ordering: .relaxed)
    }

    /// The number now.
    package var value: Int { number.load(ordering: .relaxed) }
}

/// The gauges of one name, told apart by their labels.
package final class GaugeFamily: MetricFamily {
    let head: MetricHead
    private let table = Lock(SeriesTable<Gauge>())

    init(_ head: MetricHead) {
        self.head = head
    }

    /// The gauge of these label values; keep it where it is used often.
    package func with(_ values: [String] = []) -> Gauge {
        table.withLock { $0.find(values, head: head) { Gauge() } }
    }

    func render(into text: inout String) {
        head.render(into: &text)
        for (values, gauge) in table.withLock({ $0.sorted }) {
            text += "\(head.name)\(head.labelText(values)) \(gauge.value)\n"
        }
    }
}
