import Auth
import Bytes
import Crypto
import Testing

struct APIKeyTokenTests {
    @Test func `item 51: a key has a prefix that scanners know, 256 random bits and their checksum`() throws {
        var seen: Set<String> = []
        for _ in 0..<200 {
            let token = APIKeyToken.make().token
            #expect(try #/errand_[0-9A-Za-z]{49}/#.wholeMatch(in: token) != nil)
            #expect(token.utf8.count == APIKeyToken.length)
            let digits = token.dropFirst(APIKeyToken.prefix.count)
            #expect(Base62.decode(digits.prefix(43), count: 32)?.count == 32)
            let check = try #require(Base62.decode(digits.suffix(6), count: 4))
            #expect(check.reduce(0) { $0 << 8 | UInt32($1) } == crc32(digits.prefix(43).utf8))
            #expect(seen.insert(token).inserted)
        }
    }

    @Test func `what was made is read back, with its hash and its hint`() throws {
        let made = APIKeyToken.make()
        let read = try #require(APIKeyToken.parse(made.token))
        #expect(read.token == made.token)
        #expect(read.hash == Digest.sha256([UInt8](made.token.utf8)))
        #expect(made.hint == String(made.token.prefix(11)))
    }

    @Test func `every single mistyped character is noticed`() throws {
        let token = APIKeyToken.make().token
        let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
        let characters = Array(token)
        for place in APIKeyToken.prefix.count..<characters.count {
            for other in alphabet where other != characters[place] {
                var typed = characters
                typed[place] = other
                guard APIKeyToken.parse(String(typed)) == nil else {
                    Issue.record("\(place) \(other)")
                    return
                }
            }
        }
    }

    @Test(arguments: [
        "", "errand_", "errand", "Errand_" + String(repeating: "0", count: 49),
        "errand_" + String(repeating: "0", count: 48), "errand_" + String(repeating: "0", count: 50),
        "errand_" + String(repeating: "z", count: 49), "errand_" + String(repeating: "ä", count: 49),
        "errand_" + String(repeating: "-", count: 49), "errand_" + String(repeating: "0", count: 100_000),
    ])
    func `what is no key is none`(text: String) {
        #expect(APIKeyToken.parse(text) == nil)
    }
}
