import Bytes
import Crypto
import Testing

struct DigestTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ])
    func `SHA-256 of known texts`(text: String, digest: String) {
        #expect(Hex.encode(Digest.sha256([UInt8](text.utf8))) == digest)
    }

    @Test func `SHA-1 of a known text`() {
        #expect(Hex.encode(Digest.sha1([UInt8]("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    }

    @Test func `a stream gives the digest of the whole, however it is cut`() {
        let text = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        for size in [1, 7, 63, 64, 65, 999] {
            var stream = SHA256Stream()
            for start in stride(from: 0, to: text.count, by: size) {
                stream.update([UInt8](text[start..<min(start + size, text.count)]))
            }
            #expect(stream.finish() == Digest.sha256(text))
        }
        #expect(SHA256Stream().finish() == Digest.sha256([]))
    }

    @Test func `a copied stream goes on independently, also after a digest was taken`() {
        var first = SHA256Stream()
        first.update([1])
        var second = first
        second.update([2])
        #expect(first.finish() == Digest.sha256([1]))
        first.update([3])
        #expect(first.finish() == Digest.sha256([1, 3]))
        #expect(second.finish() == Digest.sha256([1, 2]))
    }

    @Test(arguments: ["hmac_sha256_test.json", "hmac_sha1_test.json"])
    func `HMAC agrees with Wycheproof`(file: String) throws {
        var (accepted, refused) = (0, 0)
        for vector in try Wycheproof.cases(file) {
            let key = try vector.bytes("key")
            let message = try vector.bytes("msg")
            let full = file.contains("256") ? Digest.hmacSHA256(key: key, message) : Digest.hmacSHA1(key: key, message)
            let length = Int(try #require(vector.group["tagSize"]?.integer)) / 8
            let agrees = constantTimeEqual([UInt8](full.prefix(length)), try vector.bytes("tag"))
            #expect(agrees == vector.isValid, "tcId \(vector.number)")
            if agrees { accepted += 1 } else { refused += 1 }
        }
        print("\(file): \(accepted) accepted, \(refused) refused, 0 skipped")
    }

    @Test func `item 11: equality of secrets needs equal length and content`() {
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2], [1, 2]))
        #expect(!constantTimeEqual([1, 2], [1, 3]))
        #expect(!constantTimeEqual([1, 2], [1, 2, 0]))
        #expect(!constantTimeEqual([1], []))
    }

    @Test func `random bytes have the length asked for and do not repeat`() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(SecureRandom.bytes(-1).isEmpty)
        #expect(SecureRandom.bytes(33).count == 33)
        #expect(Set((0..<1000).map { _ in SecureRandom.bytes(16) }).count == 1000)
    }
}
