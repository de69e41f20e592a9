import Bytes
import Core

/// The first byte of a bulk frame.
private enum BulkType {
    static let open: UInt8 = 1
    static let records: UInt8 = 2
    static let chunk: UInt8 = 3
    static let end: UInt8 = 4
    static let transferCredit: UInt8 = 5
    static let durable: UInt8 = 6
    static let expected: UInt8 = 7
    static let stale: UInt8 = 8
    static let credit: UInt8 = 9
}

extension WorkerBulkMessage {
    /// The binary frame of this message: u8 type, fields big-endian, then what is left.
    package func encoded() -> [UInt8] {
        switch self {
        case .open(let epoch): frame(BulkType.open) { $0.appendBigEndian(epoch) }
        case .records(let attempt, let frames):
            frame(BulkType.records, reserving: frames.count) { bytes in
                bytes.append(attempt: attempt)
                bytes += frames
            }
        case .chunk(let transfer, let content): chunkFrame(transfer, content)
        case .end(let transfer, let error): endFrame(transfer, error)
        case .transferCredit(let transfer, let count): transferCreditFrame(transfer, count)
        }
    }

    /// Reads a binary frame.
    package init(decoding bytes: [UInt8]) throws(LinkError) {
        var fields = try BulkFields(bytes)
        switch fields.type {
        case BulkType.open:
            self = .open(epoch: try fields.integer(Int64.self, "epoch"))
            try fields.finish()
        case BulkType.records: self = .records(try fields.attempt(), frames: try fields.rest())
        case BulkType.chunk: self = .chunk(transfer: try fields.transfer(), try fields.rest())
        case BulkType.end: self = .end(transfer: try fields.transfer(), error: try fields.error())
        case BulkType.transferCredit:
            self = .transferCredit(transfer: try fields.transfer(), bytes: try fields.credit())
        default: throw LinkError(.unknownType, "bulk type \(fields.type)")
        }
    }
}

extension APIBulkMessage {
    /// The binary frame of this message.
    package func encoded() -> [UInt8] {
        switch self {
        case .durable(let attempt, let seq): positionFrame(BulkType.durable, attempt, seq)
        case .expected(let attempt, let next): positionFrame(BulkType.expected, attempt, next)
        case .stale(let attempt): frame(BulkType.stale) { $0.append(attempt: attempt) }
        case .credit(let count): frame(BulkType.credit) { $0.appendBigEndian(count) }
        case .chunk(let transfer, let content): chunkFrame(transfer, content)
        case .end(let transfer, let error): endFrame(transfer, error)
        case .transferCredit(let transfer, let count): transferCreditFrame(transfer, count)
        }
    }

    /// Reads a binary frame.
    package init(decoding bytes: [UInt8]) throws(LinkError) {
        var fields = try BulkFields(bytes)
        switch fields.type {
        case BulkType.durable:
            self = .durable(try fields.attempt(), seq: try fields.integer(UInt64.self, "seq"))
            try fields.finish()
        case BulkType.expected:
            self = .expected(try fields.attempt(), next: try fields.integer(UInt64.self, "next"))
            try fields.finish()
        case BulkType.stale:
            self = .stale(try fields.attempt())
            try fields.finish()
        case BulkType.credit: self = .credit(bytes: try fields.credit())
        case BulkType.chunk: self = .chunk(transfer: try fields.transfer(), try fields.rest())
        case BulkType.end: self = .end(transfer: try fields.transfer(), error: try fields.error())
        case BulkType.transferCredit:
            self = .transferCredit(transfer: try fields.transfer(), bytes: try fields.credit())
        default: throw LinkError(.unknownType, "bulk type \(fields.type)")
        }
    }
}

/// Reads the fields of one bulk frame in order.
private struct BulkFields {
    let type: UInt8
    private var cursor: ByteCursor

    init(_ bytes: [UInt8]) throws(LinkError) {
        guard bytes.count <= LinkProtocol.bulkFrameBytes else { throw LinkError(.tooLarge, "frame") }
        cursor = ByteCursor(bytes)
        guard let type = cursor.read(UInt8.self) else { throw LinkError(.malformed, "frame") }
        self.type = type
    }

    mutating func integer<T: FixedWidthInteger>(_ kind: T.Type, _ name: String) throws(LinkError) -> T {
        guard let value = cursor.read(kind) else { throw LinkError(.missingField, name) }
        return value
    }

    mutating func transfer() throws(LinkError) -> UInt64 { try integer(UInt64.self, "transfer") }

    mutating func attempt() throws(LinkError) -> AttemptID {
        let high = try integer(UInt64.self, "job")
        let low = try integer(UInt64.self, "job")
        let number = try integer(UInt32.self, "attempt")
        guard number >= 1, number <= Int32.max else { throw LinkError(.invalidField, "attempt") }
        return AttemptID(job: JobID(high: high, low: low), attempt: Int(number))
    }

    mutating func credit() throws(LinkError) -> UInt32 {
        let count = try integer(UInt32.self, "bytes")
        try finish()
        return count
    }

    mutating func error() throws(LinkError) -> String? {
        let bytes = try rest()
        guard !bytes.isEmpty else { return nil }
        guard bytes.count <= LinkProtocol.textBytes else { throw LinkError(.tooLarge, "error") }
        guard let text = String(strictUTF8: bytes) else { throw LinkError(.invalidField, "error") }
        return text
    }

    mutating func rest() throws(LinkError) -> [UInt8] {
        guard let bytes = cursor.read(count: cursor.remaining) else { throw LinkError(.malformed, "frame") }
        return Array(bytes)
    }

    func finish() throws(LinkError) {
        guard cursor.remaining == 0 else { throw LinkError(.unknownField, "frame") }
    }
}

private func frame(_ type: UInt8, reserving: Int = 0, _ fill: (inout [UInt8]) -> Void) -> [UInt8] {
    var bytes = [type]
    bytes.reserveCapacity(reserving + 32)
    fill(&bytes)
    return bytes
}

private func positionFrame(_ type: UInt8, _ attempt: AttemptID, _ seq: UInt64) -> [UInt8] {
    frame(type) { bytes in
        bytes.append(attempt: attempt)
        bytes.appendBigEndian(seq)
    }
}

private func chunkFrame(_ transfer: UInt64, _ content: [UInt8]) -> [UInt8] {
    frame(BulkType.chunk, reserving: content.count) { bytes in
        bytes.appendBigEndian(transfer)
        bytes += content
    }
}

/// An end without error carries no text; an empty text would read as success and so becomes a word.
private func endFrame(_ transfer: UInt64, _ error: String?) -> [UInt8] {
    frame(BulkType.end) { bytes in
        bytes.appendBigEndian(transfer)
        if let error { bytes += error.isEmpty ? Array("error".utf8) : Array(error.utf8) }
    }
}

private func transferCreditFrame(_ transfer: UInt64, _ count: UInt32) -> [UInt8] {
    frame(BulkType.transferCredit) { bytes in
        bytes.appendBigEndian(transfer)
        bytes.appendBigEndian(count)
    }
}

extension [UInt8] {
    fileprivate mutating func append(attempt: AttemptID) {
        appendBigEndian(attempt.job.high)
        appendBigEndian(attempt.job.low)
        appendBigEndian(UInt32(clamping: attempt.attempt))
    }
}
