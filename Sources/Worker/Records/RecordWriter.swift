import Bytes
import Core
import Platform

/// Cuts an attempt's output into numbered records: the one writer of its log.
///
/// Output comes in pieces of any size. The first piece after a pause goes out at once, so that a person sees it; what
/// follows is gathered for `flushInterval`, so that a chatty program does not make a record of every write.
struct RecordWriter: Sendable {
    /// As much as one read of a pipe brings.
    static let flushBytes = 64 << 10
    /// Below what a person notices, above what a flood of small writes takes.
    static let flushInterval = Duration.milliseconds(20)

    /// The log up to the last record made.
    private(set) var tally: LogTally
    private var pending: [UInt8] = []
    private var pendingStream = LogStream.stdout
    private var lastFlush: Instant?

    /// Goes on where `tally` ends.
    init(after tally: LogTally = LogTally()) { self.tally = tally }

    /// When `flush` must be called at the latest; nil while nothing waits.
    var deadline: Instant? { pending.isEmpty ? nil : lastFlush?.advanced(by: Self.flushInterval) }

    /// Takes output and gives the records that it completes.
    mutating func append(_ stream: LogStream, _ bytes: [UInt8], now: Instant, at time: Timestamp) -> [TalliedRecord] {
        switch stream {
        case .agent: return flush(now: now, at: time) + agentLine(bytes, at: time)
        case .errand: return flush(now: now, at: time) + pieces(bytes, of: .errand, at: time)
        case .stdout, .stderr: break
        }
        // The order between streams is kept: a change of stream ends what was gathered.
        var records = stream == pendingStream ? [] : flush(now: now, at: time)
        pendingStream = stream
        pending += bytes
        let isDue = lastFlush.map { now - $0 >= Self.flushInterval } ?? true
        if isDue || pending.count >= Self.flushBytes {
            records += flush(now: now, at: time, keepingTail: true)
        }
        return records
    }

    /// Gives what was gathered as records.
    mutating func flush(now: Instant, at time: Timestamp) -> [TalliedRecord] {
        flush(now: now, at: time, keepingTail: false)
    }

    private mutating func flush(now: Instant, at time: Timestamp, keepingTail: Bool) -> [TalliedRecord] {
        guard !pending.isEmpty else { return [] }
        // A character cut in two would turn both records into base64 for their readers.
        let kept = keepingTail ? pending.incompleteCharacterLength : 0
        let records = pieces(Array(pending.dropLast(kept)), of: pendingStream, at: time)
        pending = pending.suffix(kept)
        lastFlush = now
        return records
    }

    private mutating func pieces(_ bytes: [UInt8], of stream: LogStream, at time: Timestamp) -> [TalliedRecord] {
        stride(from: 0, to: bytes.count, by: LogRecord.maximumBytes).map { start in
            let end = min(start + LogRecord.maximumBytes, bytes.count)
            return record(stream, Array(bytes[start..<end]), at: time, part: 1, parts: 1)
        }
    }

    private mutating func agentLine(_ line: [UInt8], at time: Timestamp) -> [TalliedRecord] {
        let parts = max(1, (line.count + LogRecord.maximumBytes - 1) / LogRecord.maximumBytes)
        // A line of more than 65,535 parts is 16 GiB: the adapter's own limit is far below.
        guard let parts = UInt16(exactly: parts) else { return pieces(line, of: .errand, at: time) }
        return (1...parts).map { part in
            let start = (Int(part) - 1) * LogRecord.maximumBytes
            let end = min(start + LogRecord.maximumBytes, line.count)
            return record(.agent, Array(line[start..<end]), at: time, part: part, parts: parts)
        }
    }

    private mutating func record(
        _ stream: LogStream,
        _ bytes: [UInt8],
        at time: Timestamp,
        part: UInt16,
        parts: UInt16
    ) -> TalliedRecord {
        let before = tally
        let record = LogRecord(
            seq: tally.lastSeq + 1,
            stream: stream,
            offset: tally.offset(of: stream),
            at: time,
            part: part,
            parts: parts,
            bytes: bytes
        )
        let fits = tally.add(record)
        precondition(fits, "a record made from the tally follows it")
        return TalliedRecord(record: record, before: before)
    }
}

/// A record together with the log before it, from which a new spool segment can begin.
struct TalliedRecord: Sendable {
    var record: LogRecord
    var before: LogTally
}

extension [UInt8] {
    /// How many bytes at the end begin a UTF-8 character that is not complete; 0 when they are no such beginning.
    var incompleteCharacterLength: Int {
        for length in 1...3 where length <= count {
            let byte = self[count - length]
            // Continuation bytes belong to a character that began further back.
            if byte & 0xc0 == 0x80 { continue }
            let needed =
                switch byte {
                case 0xc2...0xdf: 2
                case 0xe0...0xef: 3
                case 0xf0...0xf4: 4
                default: 1
                }
            return needed > length ? length : 0
        }
        return 0
    }
}
