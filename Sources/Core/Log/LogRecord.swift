package import Bytes

/// Which of an attempt's streams a record belongs to.
package enum LogStream: UInt8, Sendable, CaseIterable {
    case stdout = 1
    case stderr = 2
    /// One JSON line of the agent, raw.
    case agent = 3
    /// What Errand itself has to say.
    case errand = 4

    /// The name in events.
    package var name: String {
        switch self {
        case .stdout: "stdout"
        case .stderr: "stderr"
        case .agent: "agent"
        case .errand: "errand"
        }
    }
}

/// One numbered piece of an attempt's log, written once by the worker.
package struct LogRecord: Sendable, Equatable {
    /// A record holds at most this many bytes; a longer agent line spans records.
    package static let maximumBytes = 256 << 10

    /// From 1, without a hole, over all streams of the attempt.
    package var seq: UInt64
    package var stream: LogStream
    /// Where `bytes` begin, counted in bytes of this stream of this attempt.
    package var offset: UInt64
    package var at: Timestamp
    /// From 1; which part of a long agent line this is.
    package var part: UInt16
    package var parts: UInt16
    package var bytes: [UInt8]

    /// Makes a record.
    package init(
        seq: UInt64,
        stream: LogStream,
        offset: UInt64,
        at: Timestamp,
        part: UInt16 = 1,
        parts: UInt16 = 1,
        bytes: [UInt8]
    ) {
        self.seq = seq
        self.stream = stream
        self.offset = offset
        self.at = at
        self.part = part
        self.parts = parts
        self.bytes = bytes
    }
}

/// A position in a job's log; its text form `ATTEMPT.SEQ` is used everywhere.
package struct LogPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var attempt: Int
    package var seq: UInt64

    /// Before the first record.
    package static let start = LogPosition(attempt: 0, seq: 0)

    /// Names a position.
    package init(attempt: Int, seq: UInt64) {
        self.attempt = attempt
        self.seq = seq
    }

    /// Reads `ATTEMPT.SEQ`; decimal digits only, no sign, no leading zeros but `0` itself.
    package init?(_ text: some StringProtocol) {
        let halves = text.split(separator: ".", omittingEmptySubsequences: false)
        guard halves.count == 2,
            halves.allSatisfy({ half in
                !half.isEmpty && half.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    && (half == "0" || !half.hasPrefix("0"))
            }),
            let attempt = Int32(halves[0]), let seq = Int64(halves[1])
        else { return nil }
        self.attempt = Int(attempt)
        self.seq = UInt64(seq)
    }

    package var description: String { "\(attempt).\(seq)" }

    package static func < (left: LogPosition, right: LogPosition) -> Bool {
        (left.attempt, left.seq) < (right.attempt, right.seq)
    }
}
