import Bytes
import Testing

struct Base62Tests {
    @Test(arguments: [
        ([UInt8](), 0, ""), ([0], 2, "00"), ([61], 2, "0z"), ([62], 2, "10"), ([255], 2, "47"),
        ([0xff, 0xff, 0xff, 0xff], 6, "4gfFC3"), ([0x01, 0x00, 0x00, 0x00, 0x00], 6, "4gfFC4"),
    ])
    func `bytes are one number in digits of a fixed count`(bytes: [UInt8], length: Int, text: String) {
        #expect(Base62.encode(bytes, length: length) == text)
        #expect(Base62.decode(text, count: bytes.count) == bytes)
    }

    @Test func `every number of 256 bits has its 43 digits, and none has fewer`() throws {
        for seed in 0..<100 {
            let bytes = (0..<32).map { UInt8(truncatingIfNeeded: ($0 + 1) * (seed * 37 + 11)) }
            let text = try #require(Base62.encode(bytes, length: 43))
            #expect(Base62.decode(text, count: 32) == bytes)
        }
        let most = [UInt8](repeating: 0xff, count: 32)
        #expect(Base62.encode(most, length: 42) == nil)
        #expect(Base62.encode(most, length: 43) != nil)
    }

    @Test(arguments: ["47", "4g", "zz", "0-", " 0", "0é"])
    func `a number that does not fit, and what is no digit, are refused`(text: String) {
        #expect((Base62.decode(text, count: 1) == nil) == (text != "47"))
    }

    @Test(arguments: [("", UInt32(0)), ("123456789", 0xcbf4_3926), ("a", 0xe8b7_be43), ("errand", 0x536b_a68d)])
    func `the CRC-32 is that of zlib`(text: String, value: UInt32) {
        #expect(crc32(text.utf8) == value)
    }
}
