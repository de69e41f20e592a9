import Bytes
import Testing

struct ByteCursorTests {
    @Test func `integers of every width go both ways`() {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(UInt8(0xfe))
        bytes.appendBigEndian(Int16(-2))
        bytes.appendBigEndian(UInt32(0x0102_0304))
        bytes.appendBigEndian(Int64.min)
        #expect(Array(bytes.prefix(7)) == [0xfe, 0xff, 0xfe, 1, 2, 3, 4])
        var cursor = ByteCursor(bytes)
        #expect(cursor.read(UInt8.self) == 0xfe)
        #expect(cursor.read(Int16.self) == -2)
        #expect(cursor.read(UInt32.self) == 0x0102_0304)
        #expect(cursor.read(Int64.self) == .min)
        #expect(cursor.remaining == 0)
        #expect(cursor.read(UInt8.self) == nil)
    }

    @Test func `a read that does not fit consumes nothing`() {
        var cursor = ByteCursor([1, 2, 3])
        #expect(cursor.read(UInt32.self) == nil)
        #expect(cursor.read(count: 4) == nil)
        #expect(cursor.read(count: -1) == nil)
        #expect(cursor.remaining == 3)
        #expect(cursor.read(count: 2) == [1, 2])
        #expect(cursor.read(UInt8.self) == 3)
    }

    @Test(
        arguments: [
            (UInt64(0), [0]), (127, [127]), (128, [0x80, 1]), (300, [0xac, 2]),
            (.max, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] as [(UInt64, [UInt8])]
    )
    func `varints go both ways`(value: UInt64, encoded: [UInt8]) {
        var bytes: [UInt8] = []
        bytes.appendVarint(value)
        #expect(bytes == encoded)
        var cursor = ByteCursor(bytes)
        #expect(cursor.readVarint() == value)
        #expect(cursor.remaining == 0)
    }

    @Test(
        arguments: [
            [], [0x80], [0x80, 0], [0xff, 0x80, 0], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0],
        ] as [[UInt8]]
    )
    func `a varint that is cut, too long or not shortest is refused`(bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        #expect(cursor.readVarint() == nil)
        #expect(cursor.remaining == bytes.count)
    }

    @Test(
        arguments: [
            ([], 0), ([UInt8]("123456789".utf8), 0xe306_9283), ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
            ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
        ] as [([UInt8], UInt32)]
    )
    func `the checksum agrees with RFC 3720`(bytes: [UInt8], checksum: UInt32) {
        #expect(crc32c(bytes) == checksum)
    }

    @Test(arguments: 0...40) func `the checksum agrees with the bit-by-bit definition at every length`(length: Int) {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
        var remainder = ~UInt32(0)
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                let isOdd = remainder & 1 == 1
                remainder >>= 1
                if isOdd { remainder ^= 0x82f6_3b78 }
            }
        }
        #expect(crc32c(bytes) == ~remainder)
    }
}
