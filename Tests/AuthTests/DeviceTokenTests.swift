import Auth
import Bytes
import Crypto
import Testing

struct DeviceTokenTests {
    private static let now = Timestamp(milliseconds: 1_790_000_000_000)
    private static let known = KnownDevice(account: Digest.sha256([1]), device: [UInt8](repeating: 7, count: 16))

    @Test func `a device is known by its token for ninety days`() throws {
        let tokens = DeviceTokens(try SigningKeySet(firstKeyAt: Self.now))
        let token = tokens.make(Self.known, now: Self.now)
        #expect(tokens.read(token, now: Self.now) == Self.known)
        #expect(tokens.read(token, now: Self.now.adding(.seconds(90 * 86_400 - 1))) == Self.known)
        #expect(tokens.read(token, now: Self.now.adding(.seconds(90 * 86_400))) == nil)
        #expect(KnownDevice.make(account: Self.known.account) != KnownDevice.make(account: Self.known.account))
    }

    @Test func `no other text is a token`() throws {
        let tokens = DeviceTokens(try SigningKeySet(firstKeyAt: Self.now))
        let token = tokens.make(Self.known, now: Self.now)
        for index in token.indices {
            var changed = token
            changed.replaceSubrange(index...index, with: token[index] == "A" ? "B" : "A")
            #expect(tokens.read(changed, now: Self.now) == nil, "\(changed)")
        }
        for wrong in ["", "erd_", String(token.dropLast()), token + "A", String(repeating: "erd_", count: 1_000)] {
            #expect(tokens.read(wrong, now: Self.now) == nil)
        }
    }

    @Test func `a token outlives the rotation of keys, and is nothing to another installation`() throws {
        let keys = try SigningKeySet(firstKeyAt: Self.now)
        let token = DeviceTokens(keys).make(Self.known, now: Self.now)
        let later = Self.now.adding(.seconds(86_400))
        let rotated = DeviceTokens(try keys.rotated(at: later))
        #expect(rotated.read(token, now: later) == Self.known)
        #expect(rotated.read(rotated.make(Self.known, now: later), now: later) == Self.known)
        #expect(DeviceTokens(try SigningKeySet(firstKeyAt: Self.now)).read(token, now: Self.now) == nil)
    }

    @Test func `a token outlives as many rotations as ninety days have, and holds on servers that know of none`() throws
    {
        let first = try SigningKeySet(firstKeyAt: Self.now)
        let token = DeviceTokens(first).make(Self.known, now: Self.now)
        var keys = first
        for day in 1..<90 {
            let now = Self.now.adding(.seconds(day * 86_400))
            keys = try keys.rotated(at: now, delay: SigningKeyTimes.publishingDelay)
            keys = try SigningKeySet(document: keys.document())
            #expect(DeviceTokens(keys).read(token, now: now) == Self.known)
            #expect(DeviceTokens(first).read(DeviceTokens(keys).make(Self.known, now: now), now: now) == Self.known)
        }
    }

    @Test func `no device is known any more when a signing key was removed: somebody has read the file`() throws {
        let first = try SigningKeySet(firstKeyAt: Self.now)
        let token = DeviceTokens(first).make(Self.known, now: Self.now)
        let both = try first.rotated(at: Self.now)
        for identifier in both.keys.map(\.identifier) {
            let rest = try #require(try both.removing(identifier, at: Self.now))
            #expect(DeviceTokens(rest).read(token, now: Self.now) == nil)
            let new = DeviceTokens(rest).make(Self.known, now: Self.now)
            #expect(DeviceTokens(try rest.rotated(at: Self.now)).read(new, now: Self.now) == Self.known)
        }
    }

    @Test func `a stored set from before devices had keys of their own knows its devices on`() throws {
        let seed = [UInt8](repeating: 7, count: 32)
        let key = #"{"seed":"\#(Base64.encodeURL(seed))","created_at":"2026-01-01T00:00:00Z"}"#
        let old = try SigningKeySet(document: [UInt8](#"{"version":1,"keys":[\#(key)]}"#.utf8))
        // As it was made then: by a key that came of the signing key.
        let end = Self.now.adding(DeviceTokens.lifetime).milliseconds / 1_000
        let body =
            Self.known.account + Self.known.device + (0..<8).map { UInt8(truncatingIfNeeded: end >> (56 - 8 * $0)) }
        let derived = Digest.hmacSHA256(key: seed, [UInt8]("errand known device 1".utf8))
        let token = "erd_" + Base64.encodeURL(body + Digest.hmacSHA256(key: derived, body))
        #expect(DeviceTokens(old).make(Self.known, now: Self.now) == token)
        let later = Self.now.adding(.seconds(61 * 86_400))
        var keys = try old.rotated(at: Self.now)
        keys = try SigningKeySet(document: keys.rotated(at: later).document())
        #expect(keys.keys.count == 2 && DeviceTokens(keys).read(token, now: later) == Self.known)
    }
}
