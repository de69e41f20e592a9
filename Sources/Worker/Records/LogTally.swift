import Bytes
import Core
import Crypto

/// What an attempt's log amounts to so far: the last number, the offsets, the count and the digest of all bytes.
struct LogTally: Sendable {
    private(set) var lastSeq: UInt64 = 0
    private(set) var bytes: UInt64 = 0
    /// Bytes per stream, by the stream's raw value less one.
    private var offsets: [4 of UInt64] = [0, 0, 0, 0]
    private var digest = ResumableSHA256()

    /// An empty log.
    init() {}

    /// Where the next record of a stream begins.
    func offset(of stream: LogStream) -> UInt64 { offsets[Int(stream.rawValue) - 1] }

    /// Counts the record that follows; false when it does not fit on.
    mutating func add(_ record: LogRecord) -> Bool {
        guard record.seq == lastSeq + 1, record.offset == offset(of: record.stream) else { return false }
        lastSeq = record.seq
        bytes += UInt64(record.bytes.count)
        offsets[Int(record.stream.rawValue) - 1] += UInt64(record.bytes.count)
        digest.update(record.bytes)
        return true
    }

    /// The end of a log that stops here.
    var end: LogEnd { LogEnd(lastSeq: lastSeq, bytes: bytes, sha256: digest.finish()) }

    /// The length of `encoded`.
    static let encodedLength = 8 * 6 + ResumableSHA256.stateLength

    /// The form kept at the head of a spool segment.
    var encoded: [UInt8] {
        var form: [UInt8] = []
        form.appendBigEndian(lastSeq)
        form.appendBigEndian(bytes)
        for index in offsets.indices { form.appendBigEndian(offsets[index]) }
        return form + digest.state
    }

    /// Reads the form kept on disk; nil when it is damaged.
    init?(decoding form: [UInt8]) {
        var cursor = ByteCursor(form)
        guard form.count == Self.encodedLength, let lastSeq = cursor.read(UInt64.self),
            let bytes = cursor.read(UInt64.self)
        else { return nil }
        self.lastSeq = lastSeq
        self.bytes = bytes
        for index in offsets.indices {
            guard let offset = cursor.read(UInt64.self) else { return nil }
            offsets[index] = offset
        }
        guard let state = cursor.read(count: ResumableSHA256.stateLength),
            let digest = ResumableSHA256(state: Array(state))
        else { return nil }
        self.digest = digest
    }
}
