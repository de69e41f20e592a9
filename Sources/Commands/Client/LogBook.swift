import Bytes
import Core
import Crypto

/// A viewer's books over a job's log: nothing twice, nothing missing, and at the end the proof of it.
struct LogBook {
    /// Where to go on after a cut: the last record held.
    private(set) var position: LogPosition
    /// What was held of the present attempt since its first record; nil when something of it was not seen.
    private var held: Held?

    private struct Held {
        var bytes: UInt64 = 0
        var digest = SHA256Stream()
    }

    /// What to do with a record.
    enum Verdict: Equatable {
        case fresh
        /// It was held already.
        case repeated
        /// Something before it is missing; nothing was taken.
        case hole
    }

    /// What became of the proof.
    enum Proof: Equatable {
        case proven
        /// The log was not seen from its start, or nobody vouches for its end.
        case impossible
        case broken(String)
    }

    /// Opens the books of a viewer that goes on after `position`.
    init(after position: LogPosition = .start) {
        self.position = position
        held = position.seq == 0 ? Held() : nil
    }

    /// Enters a record, if it is the next one.
    mutating func take(_ record: LogRecord, of attempt: Int) -> Verdict {
        let place = LogPosition(attempt: attempt, seq: record.seq)
        if place <= position { return .repeated }
        if attempt > position.attempt {
            guard record.seq == 1 else { return .hole }
            held = Held()
        } else if record.seq != position.seq + 1 {
            return .hole
        }
        position = place
        held?.bytes += UInt64(record.bytes.count)
        held?.digest.update(record.bytes)
        return .fresh
    }

    /// Enters that an attempt was cut and another begins, or that its last records are void.
    mutating func reset(to attempt: Int, cut: LogPosition) {
        if attempt > position.attempt {
            position = LogPosition(attempt: attempt, seq: 0)
            held = Held()
        } else if attempt == position.attempt, cut < position {
            // What is vouched for in the end is what is stored; of that the digest cannot be told any more.
            position = cut
            held = nil
        }
    }

    /// Enters that records are gone from storage.
    mutating func gap(of attempt: Int, last: UInt64) {
        position = max(position, LogPosition(attempt: attempt, seq: last))
        held = nil
    }

    /// Holds the books against what the server says at the end.
    func proof(of end: JobEnd) -> Proof {
        guard let log = end.log else { return .impossible }
        // Before an attempt's first record the books may still stand in the one before it.
        let records = position.attempt == end.attempt ? position.seq : 0
        guard records == log.lastSeq else {
            return .broken("\(records) records arrived of \(log.lastSeq)")
        }
        guard let held = records == 0 ? Held() : held else { return .impossible }
        guard held.bytes == log.bytes else {
            return .broken("\(held.bytes) bytes arrived of \(log.bytes)")
        }
        guard held.digest.finish() == log.sha256 else {
            return .broken("the SHA-256 is \(Hex.encode(held.digest.finish())), not \(Hex.encode(log.sha256))")
        }
        return .proven
    }
}
