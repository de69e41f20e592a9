import Bytes

/// The binary frame of a record: the same in the spool, on the link, in the tail and in storage.
///
/// Frame: u32 body length, u32 crc32c of what follows, u64 seq, u8 stream, u64 offset, i64 milliseconds, u16 part,
/// u16 parts, bytes; all big-endian.
package enum LogRecordCodec {
    /// Bytes of a frame before the record's own.
    package static let overhead = 37

    /// Appends the frame of one record.
    package static func append(_ record: LogRecord, to bytes: inout [UInt8]) {
        var body: [UInt8] = []
        body.reserveCapacity(record.bytes.count + 29)
        body.appendBigEndian(record.seq)
        body.append(record.stream.rawValue)
        body.appendBigEndian(record.offset)
        body.appendBigEndian(record.at.milliseconds)
        body.appendBigEndian(record.part)
        body.appendBigEndian(record.parts)
        body += record.bytes
        bytes.appendBigEndian(UInt32(body.count))
        bytes.appendBigEndian(crc32c(body))
        bytes += body
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
            length >= 29, Int(length) <= LogRecord.maximumBytes + 29, let body = cursor.read(count: Int(length)),
            crc32c(body) == checksum
        {
            var fields = ByteCursor(Array(body))
            guard let seq = fields.read(UInt64.self), let rawStream = fields.read(UInt8.self),
                let stream = LogStream(rawValue: rawStream), let offset = fields.read(UInt64.self),
                let time = fields.read(Int64.self), let part = fields.read(UInt16.self),
                let parts = fields.read(UInt16.self), part >= 1, part <= parts,
                let data = fields.read(count: fields.remaining)
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
