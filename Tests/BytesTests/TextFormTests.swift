import Bytes
import Testing

struct TextFormTests {
    @Test(arguments: [([UInt8](), ""), ([0], "00"), ([0xde, 0xad, 0xbe, 0xef], "deadbeef"), ([0x0f, 0xf0], "0ff0")])
    func `hex goes both ways`(bytes: [UInt8], text: String) {
        #expect(Hex.encode(bytes) == text)
        #expect(Hex.decode(text) == bytes)
    }

    @Test(arguments: ["0", "DE", "0g", " 00", "00\n", "0x00", "é0"])
    func `hex in another spelling is refused`(text: String) {
        #expect(Hex.decode(text) == nil)
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64 agrees with RFC 4648`(plain: String, text: String) {
        let bytes = [UInt8](plain.utf8)
        #expect(Base64.encode(bytes) == text)
        #expect(Base64.decode(text) == bytes)
        let unpadded = text.filter { $0 != "=" }
        #expect(Base64.encodeURL(bytes) == unpadded)
        #expect(Base64.decodeURL(unpadded) == bytes)
    }

    @Test func `the two alphabets differ in two characters`() {
        let bytes: [UInt8] = [0xfb, 0xff, 0xbf]
        #expect(Base64.encode(bytes) == "+/+/")
        #expect(Base64.encodeURL(bytes) == "-_-_")
        #expect(Base64.decode("-_-_") == nil)
        #expect(Base64.decodeURL("+/+/") == nil)
    }

    @Test(arguments: ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==\n", " Zg==", "Z===", "====", "Zg==Zg==", "Zm=v"])
    func `base64 that is padded wrongly or spelt a second way is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test(arguments: ["Z", "Zg==", "Zh", "Zm9", "Zg\n", "Zm9vZ"])
    func `base64url with padding or stray bits is refused`(text: String) {
        #expect(Base64.decodeURL(text) == nil)
    }

    @Test func `base64 round trips every length`() {
        for length in 0..<70 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ length) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decodeURL(Base64.encodeURL(bytes)) == bytes)
        }
    }

    @Test(arguments: [
        (UInt64.min, UInt64.min, "00000000000000000000000000"), (0, 31, "0000000000000000000000000z"),
        (.max, .max, "7zzzzzzzzzzzzzzzzzzzzzzzzz"), (0, 32, "00000000000000000000000010"),
    ])
    func `base32 of known values`(high: UInt64, low: UInt64, text: String) throws {
        #expect(Crockford32.encode(high: high, low: low) == text)
        let value = try #require(Crockford32.decode(text))
        #expect(value == (high, low))
    }

    @Test func `base32 round trips and keeps the order`() throws {
        var previous = ""
        var generator = SystemRandomNumberGenerator()
        for high in stride(from: UInt64.min, to: UInt64.max - (1 << 57), by: 1 << 57) {
            let low = generator.next()
            let text = Crockford32.encode(high: high, low: low)
            #expect(previous < text)
            #expect(try #require(Crockford32.decode(text)) == (high, low))
            previous = text
        }
    }

    @Test(arguments: [
        "", "0000000000000000000000000", "000000000000000000000000000", "80000000000000000000000000",
        "0000000000000000000000000Z", "0000000000000000000000000i", "0000000000000000000000000l",
        "0000000000000000000000000o", "0000000000000000000000000u", "0000000000000000000000000-",
    ])
    func `base32 of another length or spelling is refused`(text: String) {
        #expect(Crockford32.decode(text) == nil)
    }

    @Test(
        arguments: [[0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0xe2, 0x82]] as [[UInt8]]
    )
    func `text that is not UTF-8 is refused`(bytes: [UInt8]) {
        #expect(String(strictUTF8: bytes) == nil)
        #expect(String(strictUTF8: Array("é€𐍈".utf8)) == "é€𐍈")
    }
}
