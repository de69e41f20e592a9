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
}
