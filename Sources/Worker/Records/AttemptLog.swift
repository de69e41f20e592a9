import Core
import Platform

/// The log of one attempt: cuts output into records, hands them to the spool, and knows where the log ends.
///
/// Loop-confined.
final class AttemptLog {
    let spool: AttemptSpool
    private let loop: EventLoop
    private var writer: RecordWriter
    private var timer: LoopTimer?
    /// Called once, when there is more output than `limit`.
    var onLimit: () -> Void = {}
    private let limit: Int
    private var taken = 0
    private var isFull = false
    /// The end, once nothing more is taken: after `finish`, or before the first record that the spool refused.
    private var closed: LogTally?

    /// Goes on where `tally` ends; takes `limit` bytes of output, and what Errand says beside.
    init(spool: AttemptSpool, after tally: LogTally = LogTally(), loop: EventLoop, limit: Int = .max) {
        self.spool = spool
        self.limit = limit
        self.loop = loop
        writer = RecordWriter(after: tally)
    }

    /// Takes output.
    func write(_ stream: LogStream, _ bytes: [UInt8]) {
        guard closed == nil else { return }
        guard stream != .errand, bytes.count > limit - taken else {
            if stream != .errand { taken += bytes.count }
            return keep(writer.append(stream, bytes, now: loop.now, at: WallClock.now()))
        }
        guard !isFull else { return }
        isFull = true
        let rest = Array(bytes.prefix(limit - taken))
        taken = limit
        if !rest.isEmpty { keep(writer.append(stream, rest, now: loop.now, at: WallClock.now())) }
        onLimit()
    }

    /// Says a sentence of Errand's own.
    func note(_ text: String) { write(.errand, Array((text + "\n").utf8)) }

    /// Gives out everything and tells where the log ends; nothing is taken afterwards.
    func finish() -> LogEnd {
        if closed == nil { keep(writer.flush(now: loop.now, at: WallClock.now())) }
        timer?.cancel()
        timer = nil
        let tally = closed ?? writer.tally
        closed = tally
        return tally.end
    }

    private func keep(_ records: [TalliedRecord]) {
        if !spool.append(records) {
            closed = records.first { $0.record.seq > spool.lastSeq }?.before ?? writer.tally
        }
        timer?.cancel()
        timer = nil
        guard closed == nil, let deadline = writer.deadline else { return }
        timer = loop.schedule(after: deadline - loop.now) { [weak self] in
            guard let self, self.closed == nil else { return }
            self.keep(self.writer.flush(now: self.loop.now, at: WallClock.now()))
        }
    }
}
