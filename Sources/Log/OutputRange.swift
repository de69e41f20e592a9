package import Core

/// The raw bytes of one stream of an attempt over a range, read in bounded pieces.
package struct OutputRange {
    /// One read of storage; the first byte of any offset costs at most this.
    private static let pieceBytes = 256 << 10

    private let attempt: AttemptID
    private let stream: LogStream
    private let store: any LogStore
    private var position: UInt64
    private let end: UInt64

    /// The bytes in `[from, to)`; `to` past the stored end stops there.
    package init(
        _ attempt: AttemptID,
        stream: LogStream = .stdout,
        from: UInt64,
        to: UInt64 = .max,
        store: any LogStore
    ) {
        self.attempt = attempt
        self.stream = stream
        self.store = store
        position = from
        end = to
    }

    /// The next piece; nil at the end.
    ///
    /// Stored records that do not join on are a fault of the store, never skipped: offsets would no longer be true.
    package mutating func next() async throws(StoreError) -> [UInt8]? {
        guard position < end else { return nil }
        let records = try await store.read(
            attempt,
            stream: stream,
            fromOffset: position,
            maximumBytes: Int(min(UInt64(Self.pieceBytes), end - position))
        )
        var piece: [UInt8] = []
        for record in records where position < end {
            let recordEnd = record.offset + UInt64(record.bytes.count)
            guard recordEnd > position else { continue }
            guard record.offset <= position else {
                throw .failed(stage: "output range: hole at byte \(position) of \(stream.name)", sqlState: "")
            }
            let first = Int(position - record.offset)
            let last = Int(min(end, recordEnd) - record.offset)
            piece += record.bytes[first..<last]
            position = min(end, recordEnd)
        }
        return piece.isEmpty ? nil : piece
    }
}

/// An agent's lines as newline-delimited JSON, read in bounded pieces.
package struct Transcript {
    private static let pieceBytes = 256 << 10

    private let attempt: AttemptID
    private let store: any LogStore
    private var offset: UInt64 = 0

    /// The transcript of one attempt, from its first line.
    package init(_ attempt: AttemptID, store: any LogStore) {
        self.attempt = attempt
        self.store = store
    }

    /// The next piece, a line ending where its last part does; nil at the end.
    package mutating func next() async throws(StoreError) -> [UInt8]? {
        let records = try await store.read(
            attempt,
            stream: .agent,
            fromOffset: offset,
            maximumBytes: Self.pieceBytes
        )
        var piece: [UInt8] = []
        for record in records where record.offset == offset && !record.bytes.isEmpty {
            piece += record.bytes
            offset += UInt64(record.bytes.count)
            let isLineEnd = record.part == record.parts && record.bytes.last != UInt8(ascii: "\n")
            if isLineEnd { piece.append(UInt8(ascii: "\n")) }
        }
        return piece.isEmpty ? nil : piece
    }
}
