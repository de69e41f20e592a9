import Bytes
import Crypto
import Testing

struct AEADTests {
    private let key = [UInt8](repeating: 7, count: 32)
    private let nonce = [UInt8](repeating: 9, count: 12)

    @Test func `the all-zero cases of the GCM specification`() throws {
        let key = [UInt8](repeating: 0, count: 32)
        let nonce = [UInt8](repeating: 0, count: 12)
        let empty = try AEAD.seal([], key: key, nonce: nonce, associated: [])
        #expect(Hex.encode(empty) == "530f8afbc74536b9a963b4f1c4cb738b")
        let block = try AEAD.seal([UInt8](repeating: 0, count: 16), key: key, nonce: nonce, associated: [])
        #expect(Hex.encode(block) == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
    }

    @Test(arguments: [0, 1, 15, 16, 17, 5000])
    func `what is sealed opens again`(length: Int) throws {
        let plain = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
        let sealed = try AEAD.seal(plain, key: key, nonce: nonce, associated: [1, 2])
        #expect(sealed.count == length + AEAD.tagLength)
        #expect(try AEAD.open(sealed, key: key, nonce: nonce, associated: [1, 2]) == plain)
    }

    @Test func `a flipped bit anywhere is refused`() throws {
        let sealed = try AEAD.seal([1, 2, 3], key: key, nonce: nonce, associated: [4])
        for position in sealed.indices {
            var altered = sealed
            altered[position] ^= 1
            let error = #expect(throws: CryptoError.self) {
                try AEAD.open(altered, key: key, nonce: nonce, associated: [4])
            }
            #expect(error?.reason == .notAuthentic)
        }
    }

    @Test func `another key, nonce or associated text is refused, as is a text shorter than a tag`() throws {
        let sealed = try AEAD.seal([1, 2, 3], key: key, nonce: nonce, associated: [4])
        let otherKey = [UInt8](repeating: 8, count: 32)
        let otherNonce = [UInt8](repeating: 8, count: 12)
        #expect(throws: CryptoError.self) { try AEAD.open(sealed, key: otherKey, nonce: nonce, associated: [4]) }
        #expect(throws: CryptoError.self) { try AEAD.open(sealed, key: key, nonce: otherNonce, associated: [4]) }
        #expect(throws: CryptoError.self) { try AEAD.open(sealed, key: key, nonce: nonce, associated: []) }
        #expect(throws: CryptoError.self) {
            try AEAD.open([UInt8](sealed.prefix(15)), key: key, nonce: nonce, associated: [4])
        }
    }

    @Test func `keys and nonces of another length are refused`() {
        #expect(throws: CryptoError(stage: "AES-256-GCM seal", reason: .invalidKey)) {
            try AEAD.seal([], key: [UInt8](repeating: 0, count: 16), nonce: nonce, associated: [])
        }
        #expect(throws: CryptoError(stage: "AES-256-GCM seal", reason: .invalidNonce)) {
            try AEAD.seal([], key: key, nonce: [UInt8](repeating: 0, count: 16), associated: [])
        }
    }
}
