import Auth
import Bytes
import Core
import Crypto
import Testing

/// A provider with one Ed25519 key, and tokens of its making, right and wrong.
struct IDTokenFixture {
    static let issuer = "https://login.example"
    static let client = "errand-client"
    static let nonce = "n-0S6_WzA2Mj"
    static let accessToken = "access-token-of-the-provider"
    let now = Timestamp(milliseconds: 1_767_323_045_678)
    let key: Ed25519PrivateKey

    init() throws { key = try Ed25519PrivateKey(seed: [UInt8](repeating: 9, count: 32)) }

    var seconds: Int64 { now.milliseconds / 1000 }

    func publicKey(named name: String) -> JSONValue {
        .object(
            JSONObject([
                ("kty", .string("OKP")), ("crv", .string("Ed25519")), ("kid", .string(name)),
                ("x", .string(Base64.encodeURL(key.publicKey.raw))),
            ])
        )
    }

    /// A good token with some members put in, or taken out where they are null.
    func token(
        header: [String: String] = ["alg": "EdDSA", "kid": "one"],
        _ changes: [String: JSONValue] = [:]
    ) throws -> String {
        var members: [(String, JSONValue)] = [
            ("iss", .string(Self.issuer)), ("aud", .string(Self.client)), ("sub", .string("248289761001")),
            ("iat", .integer(seconds)), ("exp", .integer(seconds + 300)), ("nonce", .string(Self.nonce)),
            ("email", .string("jane@example.org")), ("email_verified", .bool(true)), ("name", .string("Jane Doe")),
        ]
        members.removeAll { changes[$0.0] != nil }
        members += changes.filter { !$0.value.isNull }.map { ($0.key, $0.value) }
        let head = JSONValue.object(JSONObject(header.map { ($0.key, .string($0.value)) })).encoded()
        let text = Base64.encodeURL(head) + "." + Base64.encodeURL(JSONValue.object(JSONObject(members)).encoded())
        return text + "." + Base64.encodeURL(try key.sign([UInt8](text.utf8)))
    }

    func verify(
        _ token: String,
        accessToken: String? = IDTokenFixture.accessToken,
        nonce: String = IDTokenFixture.nonce,
        at instant: Timestamp? = nil
    ) throws -> IDToken {
        let keys = try ProviderKeySet(.object(JSONObject([("keys", .array([publicKey(named: "one")]))])))
        let expected = IDTokenExpectation(
            issuer: Self.issuer,
            clientID: Self.client,
            nonce: nonce,
            accessToken: accessToken
        )
        return try expected.verify(token, keys: keys, now: instant ?? now)
    }

    /// Why a token with changes is refused; nil when it is not.
    func refusal(_ changes: [String: JSONValue], header: [String: String]? = nil) throws -> TokenError? {
        let token = try token(header: header ?? ["alg": "EdDSA", "kid": "one"], changes)
        do {
            _ = try verify(token)
            return nil
        } catch let error as TokenError {
            return error
        }
    }
}

struct IDTokenTests {
    private let fixture: IDTokenFixture

    init() throws { fixture = try IDTokenFixture() }

    @Test func `a token that fits says who came`() throws {
        let token = try fixture.verify(try fixture.token())
        #expect(token.issuer == IDTokenFixture.issuer && token.subject == "248289761001")
        #expect(token.email == "jane@example.org" && token.isEmailVerified == true && token.name == "Jane Doe")
        #expect(token.authenticatedAt == nil && token.methods.isEmpty)
        let more = try fixture.verify(
            try fixture.token(["auth_time": .integer(fixture.seconds - 60), "amr": .array([.string("otp")])])
        )
        #expect(more.authenticatedAt == Timestamp(milliseconds: (fixture.seconds - 60) * 1000))
        #expect(more.methods == ["otp"])
    }

    @Test(arguments: [
        ("iss", JSONValue.string("https://login.example/"), TokenError.wrongIssuer),
        ("iss", .string("https://LOGIN.example"), .wrongIssuer), ("iss", .null, .badClaim("iss")),
        ("iss", .array([.string("https://login.example")]), .badClaim("iss")),
        ("aud", .string("another-client"), .wrongAudience), ("aud", .null, .badClaim("aud")),
        ("aud", .array([]), .badClaim("aud")),
        ("aud", .array([.string("errand-client"), .integer(1)]), .badClaim("aud")),
        ("aud", .array([.string("errand-client"), .string("another")]), .wrongParty),
        ("azp", .string("another"), .wrongParty), ("azp", .integer(1), .wrongParty),
        ("sub", .null, .badClaim("sub")), ("sub", .string(""), .badClaim("sub")),
        ("sub", .integer(7), .badClaim("sub")),
        ("sub", .string(String(repeating: "a", count: 256)), .badClaim("sub")),
        ("sub", .string("a\u{0}b"), .badClaim("sub")),
        ("nonce", .null, .badClaim("nonce")), ("nonce", .string("another"), .wrongNonce),
        ("nonce", .string(""), .wrongNonce),
        ("exp", .null, .badClaim("exp")), ("iat", .null, .badClaim("iat")),
        ("exp", .string("9999999999"), .badClaim("exp")),
        ("exp", .number(1_767_323_345.5), .badClaim("exp")), ("iat", .integer(-1), .badClaim("iat")),
        ("exp", .integer(253_402_300_800), .badClaim("exp")), ("auth_time", .string("now"), .badClaim("auth_time")),
        ("at_hash", .string("AAAA"), .wrongAccessToken), ("at_hash", .integer(1), .badClaim("at_hash")),
        ("at_hash", .string("****"), .badClaim("at_hash")),
    ])
    func `item 41: a claim that does not fit refuses the token`(
        name: String,
        value: JSONValue,
        error: TokenError
    ) throws {
        #expect(try fixture.refusal([name: value]) == error)
        #expect(try fixture.refusal([:]) == nil)
    }

    @Test(arguments: [
        [JSONValue.string("errand-client")], [.string("errand-client"), .string("errand-client")],
        [.string("errand-client"), .string("another")],
    ])
    func `item 41: several audiences are believed when the authorized party is us`(names: [JSONValue]) throws {
        #expect(try fixture.refusal(["aud": .array(names), "azp": .string(IDTokenFixture.client)]) == nil)
    }

    @Test func `item 41: the token belongs to the access token that came along`() throws {
        let digest = Digest.sha512([UInt8](IDTokenFixture.accessToken.utf8))
        let bound = try fixture.token(["at_hash": .string(Base64.encodeURL([UInt8](digest.prefix(32))))])
        #expect(try fixture.verify(bound).subject == "248289761001")
        #expect(throws: TokenError.wrongAccessToken) { try fixture.verify(bound, accessToken: "another") }
        #expect(throws: TokenError.wrongAccessToken) { try fixture.verify(bound, accessToken: nil) }
    }

    @Test func `item 7: the clocks may be half a minute apart, and not a millisecond more`() throws {
        let token = try fixture.token(["nbf": .integer(fixture.seconds)])
        let issued = Timestamp(milliseconds: fixture.seconds * 1000)
        let end = issued.adding(seconds: 330)
        #expect(throws: Never.self) { try fixture.verify(token, at: end.adding(.milliseconds(-1))) }
        #expect(throws: TokenError.expired) { try fixture.verify(token, at: end) }
        #expect(throws: Never.self) { try fixture.verify(token, at: issued.adding(seconds: -30)) }
        #expect(throws: TokenError.notYetValid) { try fixture.verify(token, at: issued.adding(.milliseconds(-30_001))) }
        #expect(try fixture.refusal(["nbf": .integer(fixture.seconds + 60)]) == .notYetValid)
        // A token that would live for years is believed for the time of a sign-in.
        let old = try fixture.token(["exp": .integer(fixture.seconds + 1_000_000)])
        #expect(throws: TokenError.expired) { try fixture.verify(old, at: issued.adding(.milliseconds(630_001))) }
        #expect(throws: Never.self) { try fixture.verify(old, at: issued.adding(seconds: 630)) }
        #expect(try fixture.refusal(["exp": .integer(fixture.seconds)]) == .badClaim("exp"))
    }

    @Test(arguments: [
        (["alg": "none"], TokenError.wrongAlgorithm), (["alg": "None"], .wrongAlgorithm),
        (["alg": "nOnE"], .wrongAlgorithm),
        (["alg": ""], .wrongAlgorithm), (["kid": "one"], .wrongAlgorithm),
        (["alg": "HS256", "kid": "one"], .wrongAlgorithm),
        (["alg": "RS256", "kid": "one"], .wrongAlgorithm), (["alg": "ES256", "kid": "one"], .wrongAlgorithm),
        (["alg": "EdDSA", "kid": "one", "crit": "x"], .unsupportedHeader),
        (["alg": "EdDSA", "kid": "one", "b64": "x"], .unsupportedHeader),
        (["alg": "EdDSA", "kid": "one", "zip": "DEF"], .unsupportedHeader),
        (["alg": "EdDSA", "kid": "one", "typ": "at+jwt"], .wrongType),
        (["alg": "EdDSA", "kid": "one", "typ": "logout+jwt"], .wrongType),
    ])
    func `items 1 to 6: the key decides how it signs, and the header nothing`(
        header: [String: String],
        error: TokenError
    ) throws {
        #expect(try fixture.refusal([:], header: header) == error)
        #expect(try fixture.refusal([:], header: ["alg": "EdDSA", "typ": "JWT", "jku": "https://evil.example"]) == nil)
    }

    @Test func `item 2: the public key's bytes are no shared secret`() throws {
        let parts = try fixture.token(header: ["alg": "HS256", "kid": "one"]).split(separator: ".")
        let signed = "\(parts[0]).\(parts[1])"
        for secret in [fixture.key.publicKey.raw, fixture.publicKey(named: "one").encoded()] {
            let mac = Digest.hmacSHA256(key: secret, [UInt8](signed.utf8))
            #expect(throws: TokenError.wrongAlgorithm) { try fixture.verify(signed + "." + Base64.encodeURL(mac)) }
        }
    }

    @Test func `items 8 and 9: what is no token of three strict segments is refused`() throws {
        let good = try fixture.token()
        let parts = good.split(separator: ".").map { String($0) }
        let texts = [
            "", "a", "a.b", "..", "a.b.c", parts[0] + "." + parts[1], good + ".x", good + ".x.y",
            "\(parts[0])..\(parts[2])",
            good + "=", " " + good, good.replacing(".", with: ".."), good + String(repeating: "A", count: 40_000),
        ]
        for text in texts { #expect(throws: TokenError.self) { try fixture.verify(text) } }
        #expect(throws: Never.self) { try fixture.verify(good) }
        let twice = #"{"alg":"EdDSA","alg":"EdDSA"}"#
        #expect(throws: TokenError.malformed) {
            try fixture.verify(Base64.encodeURL([UInt8](twice.utf8)) + "." + parts[1] + "." + parts[2])
        }
    }

    @Test(arguments: [
        (Bool?.none, false, String?.none), (Bool?.none, true, "jane@example.org"),
        (Bool?.some(true), false, "jane@example.org"),
        (Bool?.some(false), true, nil), (Bool?.some(false), false, nil),
    ])
    func `item 42: an address counts when the provider vouches for it, and never when it denies it`(
        said: Bool?,
        vouches: Bool,
        address: String?
    ) throws {
        let token = try fixture.verify(try fixture.token(["email_verified": said.map { .bool($0) } ?? .null]))
        #expect(OpenIDProvider.sample(vouches: vouches).verifiedAddress(of: token) == address)
    }

    @Test(arguments: [
        ("jane@example.org", true), ("JANE@EXAMPLE.ORG", true), ("jane@evil.example", false),
        ("jane@sub.example.org", false), ("jane@example.org.evil.example", false),
        ("jane@evil.example@example.org", false),
        ("example.org", false), ("", false),
    ])
    func `only addresses of an allowed domain come in`(email: String, isAllowed: Bool) throws {
        let token = try fixture.verify(try fixture.token(["email": .string(email)]))
        let provider = OpenIDProvider.sample(domains: ["example.org"])
        if isAllowed {
            #expect(throws: Never.self) { try provider.checkDomain(of: token) }
        } else {
            #expect(throws: ProviderRefusal.domainNotAllowed) { try provider.checkDomain(of: token) }
        }
        #expect(throws: Never.self) { try OpenIDProvider.sample().checkDomain(of: token) }
    }

    @Test func `accounts are made for verified addresses, where the administrator said so`() throws {
        let token = try fixture.verify(try fixture.token())
        #expect(try OpenIDProvider.sample(makesAccounts: true).newAddress(of: token) == "jane@example.org")
        #expect(throws: ProviderRefusal.noAccount) { try OpenIDProvider.sample().newAddress(of: token) }
        let unverified = try fixture.verify(try fixture.token(["email_verified": .bool(false)]))
        #expect(throws: ProviderRefusal.addressNotVerified) {
            try OpenIDProvider.sample(makesAccounts: true).newAddress(of: unverified)
        }
    }
}

extension OpenIDProvider {
    static func sample(
        domains: [String] = [],
        makesAccounts: Bool = false,
        vouches: Bool = false
    ) -> OpenIDProvider {
        OpenIDProvider(
            id: ProviderID(high: 1, low: 2),
            name: "sample",
            label: "Sample",
            issuer: IDTokenFixture.issuer,
            clientID: IDTokenFixture.client,
            domains: domains,
            makesAccounts: makesAccounts,
            joins: nil,
            isInternal: false,
            vouchesForAddresses: vouches,
            createdAt: Timestamp(milliseconds: 0)
        )
    }
}
