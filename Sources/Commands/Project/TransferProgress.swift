import Platform

/// Counts what was transferred and says so while it takes long.
final class TransferProgress {
    private(set) var bytes: Int64 = 0

    private let verb: String
    private let output: OutputQueue
    private let loop: EventLoop
    private let start: Instant
    private var shownAt: Instant

    private static let interval = Duration.milliseconds(500)

    init(_ verb: String, _ client: Client) {
        self.verb = verb
        output = client.output
        loop = client.session.loop
        start = loop.now
        shownAt = loop.now.advanced(by: .milliseconds(500))
    }

    /// Counts a piece.
    func add(_ count: Int) {
        bytes += Int64(count)
        guard loop.now - shownAt >= Self.interval else { return }
        shownAt = loop.now
        output.status("\(verb) \(text)")
    }

    /// What was transferred, and how fast.
    var text: String {
        let duration = loop.now - start
        let rate = Double(bytes) / max(0.001, duration / .seconds(1))
        return "\(HumanText.bytes(bytes)) in \(HumanText.duration(duration)), \(HumanText.bytes(Int64(rate)))/s"
    }
}
