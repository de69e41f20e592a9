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

    @Test
    func `item 12: a new key is published first, signs after its delay, and the old one goes when its tokens are gone`()
        throws
    {
        let first = try SigningKeySet(firstKeyAt: now)
        let delay = SigningKeyTimes.publishingDelay
        let second = try first.rotated(at: now, delay: delay)
        let start = now.adding(delay)
        #expect(second.signer(at: now).identifier == first.active.identifier)
        #expect(second.signer(at: start.adding(.milliseconds(-1))).identifier == first.active.identifier)
        #expect(second.signer(at: start).identifier == second.active.identifier)
        let published = try JSONReader.parse(ring(second).jwks(at: now))["keys"]?.array?.compactMap {
            $0["kid"]?.string
        }
        #expect(published == [first.active.identifier, second.active.identifier])
        // A replica that has not noticed the rotation yet believes what the others sign until the delay is over.
        let early = try ring(second).sign(try claims(at: start.adding(seconds: -1)))
        #expect(refusal(ring(first), early, at: start) == nil)
        // The last token of the old key is believed to its end.
        let last = try ring(second).sign(try claims(at: start.adding(seconds: -1)))
        let lastMoment = start.adding(AccessTokenTimes.lifetime).adding(seconds: -2)
        #expect(refusal(ring(second), last, at: lastMoment) == nil)
        #expect(second.keys[0].retiresAt == start.adding(AccessTokenTimes.maximumLifetime))
        #expect(delay >= SigningKeyTimes.publicationAge * 2)
        // Nor does anybody else believe it for longer.
        let end = try #require(second.keys[0].retiresAt)
        for (instant, expected) in [(end.adding(.milliseconds(-1)), 2), (end, 1)] {
            let keys = try JSONReader.parse(ring(second).jwks(at: instant))["keys"]?.array ?? []
            #expect(keys.count == expected && keys.last?["kid"]?.string == second.active.identifier)
        }
    }

    @Test func `item 12: a ring that lacks a key disowns it, unless that has had its time`() throws {
        let first = try SigningKeySet(firstKeyAt: now)
        let second = try first.rotated(at: now)
        let end = now.adding(AccessTokenTimes.maximumLifetime)
        #expect(!ring(second).disowns(ring(first), at: now) && !ring(first).disowns(ring(first), at: now))
        let removed = try #require(try second.removing(first.active.identifier, at: now))
        #expect(ring(removed).disowns(ring(second), at: now))
        #expect(!ring(removed).disowns(ring(second), at: end))
        let third = try second.rotated(at: end)
        #expect(third.keys.count == 2 && !ring(third).disowns(ring(second), at: end))
        // A set that was put back is one that lacks what came after it.
        #expect(ring(first).disowns(ring(second), at: now))
    }

    @Test func `item 12: a removed key fails at once, and somebody always signs`() throws {
        let first = try SigningKeySet(firstKeyAt: now)
        let second = try first.rotated(at: now)
        let pending = try second.rotated(at: now, delay: .seconds(600))
        #expect(try second.removing("unknown", at: now) == nil)
        // The old one: the one that signs goes on.
        let old = try #require(try second.removing(first.active.identifier, at: now))
        #expect(old.keys.map(\.identifier) == [second.active.identifier])
        let token = try ring(first).sign(try claims(at: now))
        #expect(refusal(ring(second), token, at: now) == nil)
        #expect(refusal(ring(old), token, at: now) == .unknownKey)
        // The newest: a new one signs at once, and the others still verify.
        let newest = try #require(try second.removing(second.active.identifier, at: now))
        #expect(newest.keys.count == 2 && newest.signer(at: now).identifier == newest.active.identifier)
        #expect(refusal(ring(newest), token, at: now) == nil)
        // The only one that may sign yet: the newest does not wait.
        let both = try #require(try pending.removing(first.active.identifier, at: now))
        let alone = try #require(try both.removing(second.active.identifier, at: now))
        #expect(alone.keys.map(\.identifier) == [pending.active.identifier])
        #expect(alone.signer(at: now).identifier == pending.active.identifier && alone.active.signsFrom == now)
        let only = try #require(try first.removing(first.active.identifier, at: now))
        #expect(only.keys.count == 1 && only.active.identifier != first.active.identifier)
    }

    @Test func `a second rotation does not lengthen the life of the first key`() throws {
        let first = try SigningKeySet(firstKeyAt: now)
        let third = try first.rotated(at: now).rotated(at: now.adding(seconds: 600))
        #expect(third.keys.first?.retiresAt == now.adding(AccessTokenTimes.maximumLifetime))
        #expect(third.keys.last?.retiresAt == nil)
    }

    @Test func `the key set shows public members only`() throws {
        let set = try SigningKeySet(firstKeyAt: now).rotated(at: now)
        let document = try JSONReader.parse(ring(set).jwks(at: now))
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
        let set = try SigningKeySet(firstKeyAt: now).rotated(at: now, delay: .seconds(600))
        let read = try SigningKeySet(document: set.document())
        #expect(read.keys.map(\.identifier) == set.keys.map(\.identifier))
        #expect(read.keys.map(\.retiresAt) == set.keys.map(\.retiresAt))
        #expect(read.active.identifier == set.active.identifier)
        #expect(read.keys.map(\.signsFrom) == set.keys.map(\.signsFrom))
        #expect(read.document() == set.document())
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
            #"{"version":1,"keys":[{"seed":"\#(seed)","created_at":"2026-01-01T00:00:00Z","signs_from":"soon"}]}"#,
            .malformed("signs_from")
        ),
        (
            #"{"version":1,"keys":[{"seed":"\#(seed)","created_at":"2026-01-01T00:00:00Z","retires_at":"2027-01-01T00:00:00Z"}]}"#,
            .malformed("the last key has retired")
        ),
        (
            #"{"version":1,"keys":[\#(entry),\#(entry)]}"#, .malformed("repeated key")
        ),
        (#"{"version":1,"keys":[\#(entry)],"device_keys":[]}"#, .malformed("device_keys")),
        (#"{"version":1,"keys":[\#(entry)],"device_keys":["AAAA"]}"#, .malformed("device_keys")),
        (#"{"version":1,"keys":[\#(entry)],"device_keys":["\#(seed)",7]}"#, .malformed("device_keys")),
    ])
    func `a damaged stored set is refused with what is wrong`(document: String, error: SigningKeySetError) {
        #expect(throws: error) { try SigningKeySet(document: [UInt8](document.utf8)) }
    }

    private static let seed = Base64.encodeURL([UInt8](repeating: 7, count: 32))
    private static let entry = #"{"seed":"\#(seed)","created_at":"2026-01-01T00:00:00Z"}"#
}
