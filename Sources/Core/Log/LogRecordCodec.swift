import Bytes

/// The binary frame of a record: the same in the spool, on the link, in the tail and in storage.
///
/// Frame: u32 body length, u32 crc32c of what follows, u64 seq, u8 stream, u64 offset, i64 milliseconds, u16 part,
/// u16 parts, bytes; all big-endian.
package enum LogRecordCodec {
    /// Bytes of a frame before the record's own.
    package static let overhead = 8 + fieldBytes
    /// Bytes of a frame between its checksum and the record's own.
    private static let fieldBytes = 29

    /// Numbers that storage can hold, with room to count on; what is beyond was never written by a worker of ours.
    private static let highest = UInt64(Int64.max) - 1 << 32

    /// Appends the frame of one record.
    package static func append(_ record: LogRecord, to bytes: inout [UInt8]) {
        let start = bytes.count
        bytes.reserveCapacity(start + overhead + record.bytes.count)
        bytes.appendBigEndian(UInt32(record.bytes.count + fieldBytes))
        // Holds the place of the checksum until what it covers is there.
        bytes.appendBigEndian(UInt32(0))
        bytes.appendBigEndian(record.seq)
        bytes.append(record.stream.rawValue)
        bytes.appendBigEndian(record.offset)
        bytes.appendBigEndian(record.at.milliseconds)
        bytes.appendBigEndian(record.part)
        bytes.appendBigEndian(record.parts)
        bytes += record.bytes
        let checksum = crc32c(bytes.span.extracting(start + 8..<bytes.count))
        for index in 0..<4 { bytes[start + 4 + index] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * index)) }
    }

    /// The frames of many records.
    package static func encode(_ records: some Sequence<LogRecord>) -> [UInt8] {
        records.reduce(into: []) { append($1, to: &$0) }
    }

    /// Reads frames up to the end, or to the first one that is cut short or damaged.
    ///
    /// `consumed` tells how many bytes were whole; less than all of them means that the tail was cut or damaged.
    package static func decodePrefix(_ bytes: [UInt8]) -> (records: [LogRecord], consumed: Int) {
        var records: [LogRecord] = []
        var consumed = 0
        var cursor = ByteCursor(bytes)
        while let length = cursor.read(UInt32.self), let checksum = cursor.read(UInt32.self),
            length >= fieldBytes, length <= LogRecord.maximumBytes + fieldBytes, cursor.remaining >= Int(length),
            crc32c(bytes.span.extracting(consumed + 8..<consumed + 8 + Int(length))) == checksum
        {
            guard let seq = cursor.read(UInt64.self), let rawStream = cursor.read(UInt8.self),
                let stream = LogStream(rawValue: rawStream), let offset = cursor.read(UInt64.self),
                let time = cursor.read(Int64.self), let part = cursor.read(UInt16.self),
                let parts = cursor.read(UInt16.self), part >= 1, part <= parts, seq <= highest, offset <= highest,
                let data = cursor.read(count: Int(length) - fieldBytes)
            else { break }
            records.append(
                LogRecord(
                    seq: seq,
                    stream: stream,
                    offset: offset,
                    at: Timestamp(milliseconds: time),
                    part: part,
                    parts: parts,
                    bytes: Array(data)
                )
            )
            consumed += 8 + Int(length)
        }
        return (records, consumed)
    }

    /// Reads frames that must be whole; nil when anything is damaged.
    package static func decode(_ bytes: [UInt8]) -> [LogRecord]? {
        let (records, consumed) = decodePrefix(bytes)
        return consumed == bytes.count ? records : nil
    }
}
