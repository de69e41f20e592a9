import Auth
import Bytes
import Core
import Crypto
import Testing

struct KeyRingTests {
    private let now = Timestamp(milliseconds: 1_767_323_045_000)

    private func ring(_ set: SigningKeySet) -> KeyRing {
        KeyRing(set, issuer: TokenFixture.issuer, audience: TokenFixture.issuer)
    }

    private func claims(at instant: Timestamp) throws -> AccessClaims {
        var claims = try TokenFixture().claims
        claims.issuedAt = instant
        claims.expiresAt = instant.adding(AccessTokenTimes.lifetime)
        return claims
    }

    private func refusal(_ ring: KeyRing, _ token: String, at instant: Timestamp) -> TokenError? {
        do throws(TokenError) {
            _ = try ring.verify(token: token, now: instant)
            return nil
        } catch {
            return error
        }
    }

    @Test func `after a rotation the old key verifies until its tokens have expired, and a removed key at no time`()
        throws
    {
        let first = try SigningKeySet(firstKeyAt: now)
        let token = try ring(first).sign(try claims(at: now))
        let second = try first.rotated(at: now)
        #expect(second.keys.count == 2)
        #expect(second.active.identifier != first.active.identifier)
        #expect(refusal(ring(second), token, at: now) == nil)
        let successor = try ring(second).sign(try claims(at: now))
        #expect(refusal(ring(second), successor, at: now) == nil)
        #expect(refusal(ring(first), successor, at: now) == .unknownKey)
        let removed = try SigningKeySet(firstKeyAt: now)
        #expect(refusal(ring(removed), token, at: now) == .unknownKey)
    }

    @Test func `a retired key is not believed, whatever the token says`() throws {
        let first = try SigningKeySet(firstKeyAt: now)
        let second = try first.rotated(at: now)
        let end = now.adding(AccessTokenTimes.maximumLifetime)
        let late = try ring(first).sign(try claims(at: end.adding(seconds: -10)))
        #expect(refusal(ring(second), late, at: end.adding(.milliseconds(-1))) == nil)
        #expect(refusal(ring(second), late, at: end) == .unknownKey)
        #expect(try second.rotated(at: end).keys.count == 2)
    }

    @Test func `a second rotation does not lengthen the life of the first key`() throws {
        let first = try SigningKeySet(firstKeyAt: now)
        let third = try first.rotated(at: now).rotated(at: now.adding(seconds: 600))
        #expect(third.keys.first?.retiresAt == now.adding(AccessTokenTimes.maximumLifetime))
        #expect(third.keys.last?.retiresAt == nil)
    }

    @Test func `the key set shows public members only`() throws {
        let set = try SigningKeySet(firstKeyAt: now).rotated(at: now)
        let document = try JSONReader.parse(ring(set).jwks)
        let keys = try #require(document["keys"]?.array)
        #expect(keys.count == 2)
        for key in keys {
            #expect(key.object?.members.map(\.name) == ["kty", "crv", "use", "alg", "kid", "x"])
            #expect(throws: Never.self) { try JWK(key) }
        }
        #expect(keys.compactMap { $0["kid"]?.string } == set.keys.map(\.identifier))
    }

    @Test func `the identifier is the thumbprint of RFC 8037 appendix A`() throws {
        let raw = try #require(Base64.decodeURL("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
        #expect(JWK.thumbprint(of: try Ed25519PublicKey(raw: raw)) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }

    @Test func `a stored set is read back as it was`() throws {
        let set = try SigningKeySet(firstKeyAt: now).rotated(at: now)
        let read = try SigningKeySet(document: set.document())
        #expect(read.keys.map(\.identifier) == set.keys.map(\.identifier))
        #expect(read.keys.map(\.retiresAt) == set.keys.map(\.retiresAt))
        #expect(read.active.identifier == set.active.identifier)
        let token = try ring(read).sign(try claims(at: now))
        #expect(refusal(ring(set), token, at: now) == nil)
    }

    @Test(arguments: [
        ("", SigningKeySetError.malformed("not JSON")), ("{}", .unknownVersion),
        (#"{"version":2,"keys":[]}"#, .unknownVersion),
        (#"{"version":1,"keys":[]}"#, .malformed("no key")), (#"{"version":1,"keys":[{}]}"#, .malformed("seed")),
        (#"{"version":1,"keys":[{"seed":"AAAA","created_at":"2026-01-01T00:00:00Z"}]}"#, .malformed("seed")),
        (#"{"version":1,"keys":[{"seed":"\#(seed)","created_at":"today"}]}"#, .malformed("created_at")),
        (
            #"{"version":1,"keys":[{"seed":"\#(seed)","created_at":"2026-01-01T00:00:00Z","retires_at":1}]}"#,
            .malformed("retires_at")
        ),
        (
            #"{"version":1,"keys":[{"seed":"\#(seed)","created_at":"2026-01-01T00:00:00Z","retires_at":"2027-01-01T00:00:00Z"}]}"#,
            .malformed("the last key has retired")
        ),
        (
            #"{"version":1,"keys":[\#(entry),\#(entry)]}"#, .malformed("repeated key")
        ),
    ])
    func `a damaged stored set is refused with what is wrong`(document: String, error: SigningKeySetError) {
        #expect(throws: error) { try SigningKeySet(document: [UInt8](document.utf8)) }
    }

    private static let seed = Base64.encodeURL([UInt8](repeating: 7, count: 32))
    private static let entry = #"{"seed":"\#(seed)","created_at":"2026-01-01T00:00:00Z"}"#
}
