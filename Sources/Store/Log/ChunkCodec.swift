import CZstd
import Core

/// Packs record frames into stored chunks and back; one compressor per loop.
@safe final class ChunkCodec {
    /// Raw bytes at which a chunk is full.
    ///
    /// Compressing 256 KiB takes one to two milliseconds, which is what a loop can spare between two looks at its
    /// sockets; larger chunks gain a few per cent of size.
    static let chunkBytes = 256 << 10
    /// The fastest level: log text shrinks nearly as well as at 3, in half the time of the loop.
    private static let level: Int32 = 1
    /// A record more than full, with frames: what a stored chunk can unpack to.
    private static let unpackedLimit = 4 << 20

    private let compressor: OpaquePointer?

    init() {
        unsafe compressor = ZSTD_createCCtx()
    }

    deinit {
        unsafe ZSTD_freeCCtx(compressor)
    }

    /// A chunk of records that follow each other.
    func pack(_ records: ArraySlice<LogRecord>) -> StoredChunk {
        let frames = LogRecordCodec.encode(records)
        var chunk = StoredChunk(records)
        if let packed = compress(frames), packed.count < frames.count {
            chunk.codec = .zstd
            chunk.data = packed
        } else {
            chunk.data = frames
        }
        return chunk
    }

    /// The records of a chunk; nil when it is damaged.
    func unpack(_ data: [UInt8], codec: StoredChunk.Codec) -> [LogRecord]? {
        switch codec {
        case .plain: LogRecordCodec.decode(data)
        case .zstd: Self.decompress(data).flatMap { LogRecordCodec.decode($0) }
        }
    }

    private func compress(_ bytes: [UInt8]) -> [UInt8]? {
        let bound = ZSTD_compressBound(bytes.count)
        var length = 0
        let packed = unsafe [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            length = unsafe bytes.withUnsafeBytes { source in
                unsafe ZSTD_compressCCtx(
                    compressor,
                    buffer.baseAddress,
                    bound,
                    source.baseAddress,
                    source.count,
                    Self.level
                )
            }
            count = ZSTD_isError(length) == 0 ? length : 0
        }
        return ZSTD_isError(length) == 0 ? packed : nil
    }

    private static func decompress(_ data: [UInt8]) -> [UInt8]? {
        let size = unsafe data.withUnsafeBytes { unsafe ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        // Unknown and malformed are the two largest numbers.
        guard size <= UInt64(unpackedLimit) else { return nil }
        var length = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, count in
            length = unsafe data.withUnsafeBytes { source in
                unsafe ZSTD_decompress(buffer.baseAddress, Int(size), source.baseAddress, source.count)
            }
            count = ZSTD_isError(length) == 0 ? length : 0
        }
        return length == Int(size) ? bytes : nil
    }
}

/// One row of the stored log.
struct StoredChunk {
    /// How `data` holds the frames.
    enum Codec: Int16 {
        case plain = 0
        case zstd = 1
    }

    let firstSeq: UInt64
    let lastSeq: UInt64
    let rawBytes: Int
    /// Start and end of each stream's part, in the order of `LogStream.allCases`; both 0 for a stream without one.
    let offsets: [UInt64]
    var codec = Codec.plain
    var data: [UInt8] = []

    init(_ records: ArraySlice<LogRecord>) {
        firstSeq = records.first?.seq ?? 0
        lastSeq = records.last?.seq ?? 0
        rawBytes = records.reduce(0) { $0 + $1.bytes.count }
        offsets = LogStream.allCases.flatMap { stream -> [UInt64] in
            let part = records.filter { $0.stream == stream }
            guard let first = part.first, let last = part.last else { return [0, 0] }
            return [first.offset, last.offset + UInt64(last.bytes.count)]
        }
    }
}
