import Platform

/// The process's measurements, rendered in Prometheus' text form; each family declares its labels once.
package final class Metrics: Sendable {
    /// Series that one family may have: labels come from fixed sets, so more means that a label holds user input.
    package static let seriesLimit = 2000

    private let families = Lock([any MetricFamily]())

    /// Starts without families.
    package init() {}

    /// Declares a count that only rises; its name ends in `_total`.
    package func counter(_ name: String, help: String, labels: [String] = []) -> CounterFamily {
        add(CounterFamily(MetricHead(name: name, help: help, kind: "counter", labels: labels)))
    }

    /// Declares a number that rises and falls.
    package func gauge(_ name: String, help: String, labels: [String] = []) -> GaugeFamily {
        add(GaugeFamily(MetricHead(name: name, help: help, kind: "gauge", labels: labels)))
    }

    /// Declares a distribution over upper bounds, which rise.
    package func histogram(
        _ name: String,
        help: String,
        labels: [String] = [],
        buckets: [Double] = Histogram.secondsBuckets
    ) -> HistogramFamily {
        precondition(zip(buckets, buckets.dropFirst()).allSatisfy { $0 < $1 }, "bounds must rise")
        let head = MetricHead(name: name, help: help, kind: "histogram", labels: labels)
        return add(HistogramFamily(head, buckets: buckets))
    }

    /// The text that `/metrics` answers.
    package func render() -> String {
        var text = ""
        for family in families.withLock({ $0 }) { family.render(into: &text) }
        return text
    }

    private func add<Family: MetricFamily>(_ family: Family) -> Family {
        let name = family.head.name
        let isNew = families.withLock { families in
            guard !families.contains(where: { $0.head.name == name }) else { return false }
            families.append(family)
            return true
        }
        precondition(isNew, "two metrics named \(name)")
        return family
    }
}

protocol MetricFamily: AnyObject, Sendable {
    var head: MetricHead { get }
    func render(into text: inout String)
}

/// A family's name, meaning and labels.
struct MetricHead: Sendable {
    let name: String
    let help: String
    let kind: String
    let labels: [String]

    init(name: String, help: String, kind: String, labels: [String]) {
        precondition(([name] + labels).allSatisfy(Self.isName), "a metric's name is letters, digits and underscores")
        self.name = name
        self.help = help
        self.kind = kind
        self.labels = labels
    }

    func render(into text: inout String) {
        text += "# HELP \(name) \(help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n"))\n"
        text += "# TYPE \(name) \(kind)\n"
    }

    /// `{name="value",…}`, or nothing when there is no label.
    func labelText(_ values: [String], extra: String? = nil) -> String {
        var pairs = zip(labels, values).map { "\($0)=\"\(Self.escaped($1))\"" }
        if let extra { pairs.append(extra) }
        return pairs.isEmpty ? "" : "{\(pairs.joined(separator: ","))}"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9") ~= first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}

/// The series of a family by their label values; a family that is full lends its overflow series.
struct SeriesTable<Series: Sendable>: Sendable {
    private(set) var series: [[String]: Series] = [:]

    mutating func find(_ values: [String], head: MetricHead, _ make: () -> Series) -> Series {
        precondition(values.count == head.labels.count, "\(head.name) has the labels \(head.labels)")
        if let known = series[values] { return known }
        let key = series.count < Metrics.seriesLimit ? values : head.labels.map { _ in "other" }
        if let known = series[key] { return known }
        let made = make()
        series[key] = made
        return made
    }

    var sorted: [(values: [String], series: Series)] {
        series.map { ($0.key, $0.value) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
    }
}
