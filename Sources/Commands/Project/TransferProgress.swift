import Platform

/// Counts what was transferred and says so while it takes long.
final class TransferProgress {
    private(set) var bytes: Int64 = 0

    private let verb: String
    private let output: OutputQueue
    private let loop: EventLoop
    private let start: Instant
    private var isOver = false

    /// Begins to count and to tell.
    init(_ verb: String, _ client: Client) {
        self.verb = verb
        output = client.output
        loop = client.session.loop
        start = loop.now
        loop.spawnLocal { [self] in
            while true {
                await loop.sleep(.milliseconds(500))
                if isOver { return }
                output.status("\(self.verb) \(text)")
            }
        }
    }

    /// Counts a piece.
    func add(_ count: Int) { bytes += Int64(count) }

    /// Ends the telling.
    func finish() async {
        isOver = true
        await output.flush()
    }

    /// What was transferred, and how fast.
    var text: String {
        let duration = loop.now - start
        let rate = Double(bytes) / max(0.001, duration / .seconds(1))
        return "\(HumanText.bytes(bytes)) in \(HumanText.duration(duration)), \(HumanText.bytes(Int64(rate)))/s"
    }
}
