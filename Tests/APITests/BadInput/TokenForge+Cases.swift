import API
import Auth
import Bytes
import Core
import Crypto
import Testing

extension TokenForge {
    /// Every beginning of a true token, and segments too few, too many or empty.
    func truncated() throws -> [Case] {
        let whole = try token()
        let parts = whole.split(separator: ".").map(String.init)
        let pieces = [
            ".", "..", "...", parts[0] + ".." + parts[2], "." + parts[1] + "." + parts[2], whole + ".", whole + ".x",
            whole + ".x.y", parts[1] + "." + parts[2], "." + whole,
        ]
        return (0..<whole.utf8.count).map { Case(name: "cut at \($0)", token: String(whole.prefix($0))) }
            + pieces.map { Case(name: String($0.prefix(20)), token: $0) }
    }

    /// No signature, or one that the public key is enough for.
    func unsigned() throws -> [Case] {
        var cases: [Case] = []
        let signature = try token().split(separator: ".").map(String.init)[2]
        for name in ["none", "None", "nOnE", ""] {
            let text = Base64.encodeURL(header([("alg", .string(name))])) + "." + Base64.encodeURL(payload())
            for end in ["", ".", "." + signature] {
                cases.append(Case(name: "\(name)\(end.prefix(2))", token: text + end))
            }
        }
        for value in [nil, JSONValue.null, .integer(0), .array([.string("EdDSA")])] {
            cases.append(Case(name: "alg is \(String(describing: value))", token: try token(header: [("alg", value)])))
        }
        let raw = key.publicKey.raw
        let der = try #require(Hex.decode("302a300506032b6570032100")) + raw
        let pem = "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(der))\n-----END PUBLIC KEY-----\n"
        let jwk = #"{"crv":"Ed25519","kty":"OKP","x":"\#(Base64.encodeURL(raw))"}"#
        for (form, secret) in [("raw", raw), ("DER", der), ("PEM", [UInt8](pem.utf8)), ("JWK", [UInt8](jwk.utf8))] {
            let text = Base64.encodeURL(header([("alg", .string("HS256"))])) + "." + Base64.encodeURL(payload())
            let code = Digest.hmacSHA256(key: secret, [UInt8](text.utf8))
            cases.append(Case(name: "HMAC by the \(form) key", token: text + "." + Base64.encodeURL(code)))
        }
        for name in ["RS256", "ES256", "ES384", "Ed25519", "eddsa"] {
            cases.append(Case(name: name, token: try token(header: [("alg", .string(name))])))
        }
        return cases
    }

    /// Signed anew by somebody else, under our key's name or under another.
    func otherKeys() throws -> [Case] {
        let stranger = try Ed25519PrivateKey.generate()
        let own = JWK.thumbprint(of: stranger.publicKey)
        var cases = [
            Case(name: "under our name", token: try token(by: stranger)),
            Case(name: "under its own name", token: try token(header: [("kid", .string(own))], by: stranger)),
            Case(name: "without a name", token: try token(header: [("kid", nil)], by: stranger)),
            Case(
                name: "with itself",
                token: try token(
                    header: [
                        ("kid", .string(own)),
                        (
                            "jwk",
                            .object(
                                JSONObject([
                                    ("kty", .string("OKP")), ("crv", .string("Ed25519")),
                                    ("x", .string(Base64.encodeURL(stranger.publicKey.raw))),
                                ])
                            )
                        ),
                    ],
                    by: stranger
                )
            ),
        ]
        for name in ["", "unknown", "../../../etc/passwd", "' or '1'='1", String(repeating: "k", count: 2_000)] {
            cases.append(Case(name: "kid \(name.prefix(20))", token: try token(header: [("kid", .string(name))])))
        }
        cases.append(Case(name: "no kid", token: try token(header: [("kid", nil)])))
        cases.append(Case(name: "kid is a number", token: try token(header: [("kid", .integer(1))])))
        return cases
    }

    func otherAudiences() throws -> [Case] {
        let own = JSONValue.string(APIWorld.publicURL)
        let values: [JSONValue?] = [
            nil, .null, .string(""), .string("https://other.test"), .string(APIWorld.publicURL + "/"), .integer(1),
            .string(APIWorld.publicURL.uppercased()), .array([]), .array([.string("https://other.test")]),
            .array([own, .integer(1)]), .array([own, .string("")]), .object(JSONObject([("aud", own)])),
        ]
        return try ["iss", "aud"].flatMap { name in
            // An issuer is one name; a list is none.
            try (name == "iss" ? values + [.array([own])] : values).map { value in
                Case(name: "\(name) is \(String(describing: value))", token: try token(payload: [(name, value)]))
            }
        }
    }

    func otherTimes() throws -> [Case] {
        var cases: [Case] = []
        let values: [JSONValue] = [
            .null, .string("\(now)"), .number(Double(now) + 0.5), .integer(-1), .integer(.max), .array([]),
        ]
        for name in ["iat", "exp", "nbf"] {
            for value in values {
                cases.append(Case(name: "\(name) \(value)", token: try token(payload: [(name, value)])))
            }
        }
        for name in ["iat", "exp"] { cases.append(Case(name: "no \(name)", token: try token(payload: [(name, nil)]))) }
        for name in ["iat", "nbf"] {
            cases.append(Case(name: "\(name) ahead", token: try token(payload: [(name, .integer(now + 31))])))
        }
        cases.append(Case(name: "too long a life", token: try token(payload: [("exp", .integer(now + 3_601))])))
        for end in [now, now - 1] {
            let past = try token(payload: [("iat", .integer(now - 900)), ("exp", .integer(end))])
            cases.append(Case(name: "ended at \(end - now)", token: past, code: "token_expired"))
        }
        return cases
    }

    /// Secrets and tokens of ours that are for something else.
    func otherTypes() throws -> [Case] {
        let services = world.replicas[0].services
        var cases = try StepToken.Kind.allCases.map { kind in
            Case(name: kind.rawValue, token: try services.keys.sign(StepToken(kind, at: world.time.now)))
        }
        for type in ["JWT", "AT+JWT", "application/at+jwt", "rt+jwt", "logout+jwt", ""] {
            cases.append(Case(name: "typ \(type)", token: try token(header: [("typ", .string(type))])))
        }
        cases.append(Case(name: "no typ", token: try token(header: [("typ", nil)])))
        let known = KnownDevice.make(account: Digest.sha256([1]))
        cases += [
            Case(name: "a refresh token", token: RefreshToken.make().token),
            Case(name: "an invitation", token: InviteToken.make().token),
            Case(name: "a stream ticket", token: StreamTicket.make().token),
            Case(name: "a device token", token: services.deviceTokens.make(known, now: world.time.now)),
        ]
        return cases
    }

    /// Members by which a header would change what the token means.
    func otherHeaders() throws -> [Case] {
        let members: [(String, JSONValue)] = [
            ("crit", .array([.string("exp")])), ("crit", .array([])), ("b64", .bool(false)), ("b64", .bool(true)),
            ("zip", .string("DEF")), ("jku", .string("https://evil.test/keys")), ("jwk", .object(JSONObject())),
            ("x5u", .string("https://evil.test")), ("x5c", .array([])), ("cty", .string("JWT")), ("x", .integer(1)),
        ]
        return try members.map { Case(name: "\($0)", token: try token(header: [($0.0, $0.1)])) }
    }

    func huge() throws -> [Case] {
        let whole = try token()
        return [
            Case(name: "one byte too long", token: String(repeating: "a", count: 4_097)),
            Case(name: "a long tail", token: whole + String(repeating: "A", count: 4_096)),
            Case(name: "a mebibyte", token: String(repeating: "a", count: 1 << 20)),
            Case(name: "a mebibyte of segments", token: String(repeating: "a.", count: 1 << 19)),
            Case(
                name: "a long kid",
                token: try token(header: [("kid", .string(String(repeating: "k", count: 10_000)))])
            ),
            Case(
                name: "a long claim",
                token: try token(payload: [("jti", .string(String(repeating: "j", count: 600)))])
            ),
            Case(name: "a deep claim", token: try token(header(), Array(String(repeating: "[", count: 2_000).utf8))),
        ]
    }

    /// What is no text: on the wire, or behind a true signature.
    func noTexts() throws -> [Case] {
        let whole = try token()
        let (head, body) = (header(), payload())
        var cases = ["\u{fffd}", "é", "．", "=", " ", "+", "/", "\u{200b}", "\u{feff}"].flatMap { mark in
            [Case(name: "\(mark) behind", token: whole + mark), Case(name: "\(mark) before", token: mark + whole)]
        }
        let cut = [UInt8](body.dropLast())
        let endings: [(String, [UInt8])] = [
            ("0xff", [0xff]), ("an overlong slash", [0xc0, 0xaf]), ("half a character", [0xe2, 0x82]),
            ("a surrogate", [0xed, 0xa0, 0x80]), ("beyond Unicode", [0xf4, 0x90, 0x80, 0x80]), ("NUL", [0]),
        ]
        for (name, bytes) in endings {
            let text = cut + [UInt8](#","x":""#.utf8) + bytes + [UInt8](#""}"#.utf8)
            cases.append(Case(name: "\(name) in the payload", token: try token(head, text)))
            cases.append(Case(name: "\(name) before the header", token: try token(bytes + head, body)))
        }
        cases += [
            Case(name: "a lone escape", token: try token(head, cut + [UInt8](#","x":"\ud800"}"#.utf8))),
            Case(name: "a byte order mark", token: try token(head, [0xef, 0xbb, 0xbf] + body)),
            Case(name: "a member twice", token: try token(head, cut + [UInt8](#","iss":"x"}"#.utf8))),
            Case(name: "something behind", token: try token(head, body + [0x20, 0x78])),
            Case(name: "a list", token: try token(head, [UInt8]("[]".utf8))),
        ]
        return cases
    }
}
