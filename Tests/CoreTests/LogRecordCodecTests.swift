import Bytes
import Core
import Testing

struct LogRecordCodecTests {
    private let records = (1...5).map { number in
        LogRecord(
            seq: UInt64(number),
            stream: LogStream.allCases[number % 4],
            offset: UInt64(number * 1_000),
            at: Timestamp(milliseconds: Int64(number)),
            part: UInt16(number == 5 ? 2 : 1),
            parts: UInt16(number == 5 ? 3 : 1),
            bytes: Array(repeating: UInt8(number), count: number * 7)
        )
    }

    @Test func `records read back`() {
        #expect(LogRecordCodec.decode(LogRecordCodec.encode(records)) == records)
        #expect(LogRecordCodec.decode([]) == [])
    }

    @Test func `a tail cut at any byte gives the whole records before it`() {
        let bytes = LogRecordCodec.encode(records)
        for end in 0..<bytes.count {
            let (prefix, consumed) = LogRecordCodec.decodePrefix(Array(bytes[..<end]))
            #expect(consumed <= end)
            #expect(Array(records.prefix(prefix.count)) == prefix)
            #expect(prefix.count < records.count)
            #expect((LogRecordCodec.decode(Array(bytes[..<end])) == nil) == (consumed < end))
        }
    }

    @Test func `a flipped bit is noticed wherever it is`() {
        let bytes = LogRecordCodec.encode(records)
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x10
            #expect(LogRecordCodec.decode(damaged) == nil, "byte \(index)")
        }
    }
}
