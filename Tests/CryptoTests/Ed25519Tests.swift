import Bytes
import Crypto
import Testing

struct Ed25519Tests {
    @Test func `signatures agree with Wycheproof`() throws {
        var (accepted, refused) = (0, 0)
        for vector in try Wycheproof.cases("ed25519_test.json") {
            let raw = try #require(vector.group["publicKey"]?["pk"]?.string.flatMap { Hex.decode($0) })
            let key = try Ed25519PublicKey(raw: raw)
            let verdict = key.verifies(signature: try vector.bytes("sig"), of: try vector.bytes("msg"))
            #expect(verdict == vector.isValid, "tcId \(vector.number)")
            if verdict { accepted += 1 } else { refused += 1 }
        }
        print("ed25519_test.json: \(accepted) accepted, \(refused) refused, 0 skipped")
    }

    @Test func `the key of RFC 8037 appendix A signs as printed there`() throws {
        let seed = try #require(Base64.decodeURL("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
        let key = try Ed25519PrivateKey(seed: seed)
        #expect(Base64.encodeURL(key.publicKey.raw) == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
        let message = [UInt8]("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8)
        let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        #expect(Base64.encodeURL(try key.sign(message)) == expected)
        #expect(key.seed == seed)
    }

    @Test func `a signature holds for its key and message only`() throws {
        let key = try Ed25519PrivateKey.generate()
        let other = try Ed25519PrivateKey.generate()
        let signature = try key.sign([1, 2, 3])
        #expect(key.publicKey.verifies(signature: signature, of: [1, 2, 3]))
        #expect(!key.publicKey.verifies(signature: signature, of: [1, 2]))
        #expect(!other.publicKey.verifies(signature: signature, of: [1, 2, 3]))
        #expect(!key.publicKey.verifies(signature: [], of: [1, 2, 3]))
        #expect(!key.publicKey.verifies(signature: signature + [0], of: [1, 2, 3]))
    }

    @Test(arguments: [0, 31, 33, 64])
    func `a key of another length is refused`(length: Int) {
        let bytes = [UInt8](repeating: 1, count: length)
        #expect(throws: CryptoError.self) { try Ed25519PrivateKey(seed: bytes) }
        #expect(throws: CryptoError.self) { try Ed25519PublicKey(raw: bytes) }
    }
}
