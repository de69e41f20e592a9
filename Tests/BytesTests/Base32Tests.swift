import Bytes
import Testing

struct Base32Tests {
    @Test(arguments: [
        ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
        ("foobar", "MZXW6YTBOI"),
    ])
    func `the texts of RFC 4648, without padding`(plain: String, text: String) {
        #expect(Base32.encode([UInt8](plain.utf8)) == text)
        #expect(Base32.decode(text) == [UInt8](plain.utf8))
    }

    @Test(arguments: ["M", "MZX", "MZXW6Y", "my", "MY======", "M1", "M Y", "MZ", "MÄ"])
    func `another spelling is refused`(text: String) {
        #expect(Base32.decode(text) == nil)
    }

    @Test func `every byte comes back`() {
        for length in 0..<21 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 89 + 200) }
            #expect(Base32.decode(Base32.encode(bytes)) == bytes)
        }
    }
}
