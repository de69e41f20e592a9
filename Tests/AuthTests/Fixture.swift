import Auth
import Bytes
import Core
import Crypto

/// One installation's keys with tokens made by hand, right and wrong.
struct TokenFixture {
    static let issuer = "https://errand.test"
    let now = Timestamp(milliseconds: 1_767_323_045_678)
    let seed = [UInt8](repeating: 7, count: 32)
    let key: Ed25519PrivateKey
    let ring: KeyRing
    let identifier: String

    init() throws {
        key = try Ed25519PrivateKey(seed: seed)
        let document =
            #"{"version":1,"keys":[{"seed":"\#(Base64.encodeURL(seed))","created_at":"2026-01-01T00:00:00Z","#
            + #""retires_at":null}]}"#
        let set = try SigningKeySet(document: [UInt8](document.utf8))
        identifier = set.active.identifier
        ring = KeyRing(set, issuer: Self.issuer, audience: Self.issuer)
    }

    var seconds: Int64 { now.milliseconds / 1000 }

    var claims: AccessClaims {
        AccessClaims(
            issuer: Self.issuer,
            audience: Self.issuer,
            subject: UserID(high: 1, low: 2),
            signIn: SignInID(high: 3, low: 4),
            tokenID: "token-1",
            issuedAt: now,
            expiresAt: now.adding(AccessTokenTimes.lifetime),
            scopes: ["all"],
            clientID: "errand"
        )
    }

    /// The members of a good payload.
    var members: [(String, JSONValue)] {
        [
            ("iss", .string(Self.issuer)), ("aud", .string(Self.issuer)), ("sub", .string(claims.subject.description)),
            ("sid", .string(claims.signIn.description)), ("jti", .string("token-1")), ("iat", .integer(seconds)),
            ("exp", .integer(seconds + 900)), ("scope", .string("all")), ("client_id", .string("errand")),
        ]
    }

    /// A good payload with one member put in or taken out.
    func payload(_ name: String, _ value: JSONValue?) -> [UInt8] {
        var members = members.filter { $0.0 != name }
        if let value { members.append((name, value)) }
        return JSONValue.object(JSONObject(members)).encoded()
    }

    var goodHeader: String { #"{"alg":"EdDSA","typ":"at+jwt","kid":"\#(identifier)"}"# }

    /// A token with a true signature over whatever it says.
    func signed(header: String? = nil, payload: [UInt8]? = nil) throws -> String {
        try signed(header: [UInt8]((header ?? goodHeader).utf8), payload: payload)
    }

    func signed(header: [UInt8], payload: [UInt8]? = nil) throws -> String {
        let text = Base64.encodeURL(header) + "." + Base64.encodeURL(payload ?? self.payload("", nil))
        return text + "." + Base64.encodeURL(try key.sign([UInt8](text.utf8)))
    }

    /// Why the ring refuses a token; nil when it does not.
    func refusal(of token: String, at instant: Timestamp? = nil) -> TokenError? {
        do throws(TokenError) {
            _ = try ring.verify(token: token, now: instant ?? now)
            return nil
        } catch {
            return error
        }
    }
}
