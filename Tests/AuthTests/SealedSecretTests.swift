import Bytes
import Core
import Testing

@testable import Auth

@Suite struct SealedSecretTests {
    private static let now = Timestamp(milliseconds: 1_767_323_045_000)
    private static let team = TeamID(high: 1, low: 2)
    private static let place = SecretPlace(table: "model_keys", row: team, column: "key")
    private let ring = MasterKeyRing(firstKeyAt: now)

    private func sealed(_ text: String = "a secret") throws -> SealedSecret {
        try SealedSecret.seal(ClearSecret(text), in: Self.place, under: ring)
    }

    private func refusal(of bytes: [UInt8], in place: SecretPlace = place) -> SealError? {
        do throws(SealError) {
            _ = try SealedSecret(bytes).open(in: place, with: ring)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [0, 1, 15, 16, 17, 4_096, ClearSecret.limit])
    func `a secret of any length opens in its own place`(length: Int) throws {
        let plain = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sealed = try SealedSecret.seal(ClearSecret(plain), in: Self.place, under: ring)
        #expect(sealed.masterKey == ring.current.id)
        #expect(sealed.bytes.count == length + 97)
        #expect(try SealedSecret(sealed.bytes).open(in: Self.place, with: ring).reveal() == plain)
    }

    @Test func `the same secret never looks the same twice, and never shows itself`() throws {
        let (first, second) = (try sealed(), try sealed())
        // Version and master key are equal; everything behind them is not.
        for start in [9, 21, 69, 81] { #expect(first.bytes[start..<start + 8] != second.bytes[start..<start + 8]) }
        #expect(!String(decoding: first.bytes, as: UTF8.self).contains("secret"))
    }

    @Test func `every flipped bit is refused, and the error names the stage`() throws {
        let sealed = try sealed()
        #expect(refusal(of: sealed.bytes) == nil)
        for index in sealed.bytes.indices {
            for bit in 0..<8 {
                var altered = sealed.bytes
                altered[index] ^= 1 << UInt8(bit)
                let found = refusal(of: altered)
                switch index {
                case 0: #expect(found == .unknownVersion(altered[0]))
                case 1...8: #expect(found == .unknownMasterKey(try #require(MasterKeyID(altered[1...8]))))
                case 9...68: #expect(found == .wrapNotAuthentic, "byte \(index)")
                default: #expect(found == .textNotAuthentic, "byte \(index)")
                }
            }
        }
    }

    @Test func `every truncation and every extension is refused`() throws {
        let sealed = try sealed()
        for length in 0..<sealed.bytes.count {
            let found = refusal(of: [UInt8](sealed.bytes.prefix(length)))
            #expect(found == (length < 97 ? .malformed : .textNotAuthentic), "\(length) bytes")
        }
        for extra in [1, 16, 97] {
            #expect(refusal(of: sealed.bytes + [UInt8](repeating: 0, count: extra)) == .textNotAuthentic)
        }
        #expect(refusal(of: sealed.bytes + [UInt8](repeating: 0, count: ClearSecret.limit)) == .malformed)
    }

    @Test func `a secret that was moved to another row, table or column does not open there`() throws {
        let sealed = try sealed()
        let places = [
            SecretPlace(table: "model_keys", row: TeamID(high: 1, low: 3), column: "key"),
            SecretPlace(table: "model_keys", row: UserID(high: 1, low: 2), column: "key"),
            SecretPlace(table: "oidc_clients", row: Self.team, column: "key"),
            SecretPlace(table: "model_keys", row: Self.team, column: "seed"),
        ]
        for place in places { #expect(refusal(of: sealed.bytes, in: place) == .wrapNotAuthentic, "\(place)") }
        #expect(refusal(of: sealed.bytes) == nil)
    }

    @Test func `the wrap of one secret does not open the text of another in the same place`() throws {
        let (first, second) = (try sealed("one"), try sealed("two"))
        let mixed = [UInt8](first.bytes[..<69] + second.bytes[69...])
        #expect(refusal(of: mixed) == .textNotAuthentic)
    }

    @Test(arguments: [0, 2, 255] as [UInt8])
    func `another version is refused before anything is tried`(version: UInt8) throws {
        var bytes = try sealed().bytes
        bytes[0] = version
        #expect(refusal(of: bytes) == .unknownVersion(version))
    }

    @Test func `another installation's ring does not open it, and says which key is missing`() throws {
        let sealed = try sealed()
        let other = MasterKeyRing(firstKeyAt: Self.now)
        let error = #expect(throws: SealError.self) { try sealed.open(in: Self.place, with: other) }
        #expect(error == .unknownMasterKey(ring.current.id))
    }

    @Test func `a rotation wraps anew and leaves the text, and the old key is then not needed`() throws {
        let old = try sealed()
        let both = ring.rotated(at: Self.now)
        #expect(try old.open(in: Self.place, with: both).revealText() == "a secret")
        let new = try old.rewrapped(in: Self.place, under: both)
        #expect(new.masterKey == both.current.id && new.masterKey != old.masterKey)
        #expect(new.bytes[69...] == old.bytes[69...] && new.bytes[9..<69] != old.bytes[9..<69])
        let alone = both.without([ring.current.id])
        #expect(alone.keys.count == 1)
        #expect(try new.open(in: Self.place, with: alone).revealText() == "a secret")
        let error = #expect(throws: SealError.self) { try old.open(in: Self.place, with: alone) }
        #expect(error == .unknownMasterKey(ring.current.id))
    }

    @Test func `what does not open is not wrapped anew`() throws {
        var bytes = try sealed().bytes
        bytes[bytes.count - 1] ^= 1
        let altered = try SealedSecret(bytes)
        #expect(throws: SealError.textNotAuthentic) {
            try altered.rewrapped(in: Self.place, under: ring.rotated(at: Self.now))
        }
        let other = SecretPlace(table: "model_keys", row: TeamID(high: 9, low: 9), column: "key")
        #expect(throws: SealError.wrapNotAuthentic) { try sealed().rewrapped(in: other, under: ring) }
    }

    @Test func `more than the limit is not sealed`() {
        let long = ClearSecret([UInt8](repeating: 0, count: ClearSecret.limit + 1))
        #expect(throws: SealError.tooLong) { try SealedSecret.seal(long, in: Self.place, under: ring) }
    }

    @Test func `no printing shows a secret or a key`() throws {
        let secret = ClearSecret("hush-hush")
        var dumped = ""
        dump(secret, to: &dumped)
        dump(ring, to: &dumped)
        dumped += "\(secret) \(String(reflecting: secret)) \(ring) \(String(reflecting: ring.current))"
        #expect(!dumped.contains("hush") && dumped.contains("****"))
        let key = ring.current.bytes
        for form in [Hex.encode(key), Base64.encodeURL(key), Base64.encode(key), "\(key)"] {
            #expect(!dumped.contains(form))
        }
        // An array is dumped a byte a line; one byte alone may be the identifier's as well.
        let lines = dumped.filter { $0 != " " }
        #expect(!lines.contains(key.prefix(6).map { "-\($0)\n" }.joined()))
        #expect(lines.contains(Array(ring.current.id.bytes).prefix(6).map { "-\($0)\n" }.joined()))
        #expect(dumped.contains(ring.current.id.description))
    }
}
