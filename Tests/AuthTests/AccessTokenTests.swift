import Auth
import Bytes
import Core
import Crypto
import Testing

struct AccessTokenTests {
    private let fixture: TokenFixture

    init() throws { fixture = try TokenFixture() }

    @Test func `a token says what was signed, in whole seconds`() throws {
        var expected = fixture.claims
        expected.issuedAt = Timestamp(milliseconds: fixture.seconds * 1000)
        expected.expiresAt = Timestamp(milliseconds: (fixture.seconds + 900) * 1000)
        let token = try fixture.ring.sign(fixture.claims)
        #expect(try fixture.ring.verify(token: token, now: fixture.now) == expected)
        #expect(token.utf8.count < 1000)
        #expect(fixture.refusal(of: try fixture.signed()) == nil)
    }

    @Test(arguments: [
        "none", "None", "nOnE", "", "HS256", "RS256", "ES256", "ES384", "Ed25519", "eddsa", "EdDSA ", "EDDSA",
    ])
    func `any algorithm but the key's is refused, true signature or not`(algorithm: String) throws {
        let header = #"{"alg":"\#(algorithm)","typ":"at+jwt","kid":"\#(fixture.identifier)"}"#
        #expect(fixture.refusal(of: try fixture.signed(header: header)) == .wrongAlgorithm)
    }

    @Test(arguments: [#"{"typ":"at+jwt"}"#, #"{"alg":null}"#, #"{"alg":["EdDSA"]}"#, #"{"alg":1}"#])
    func `a header without a textual algorithm is refused`(header: String) throws {
        #expect(fixture.refusal(of: try fixture.signed(header: header)) == .wrongAlgorithm)
    }

    @Test func `an HMAC keyed with the public key is refused in every form of the key`() throws {
        let raw = fixture.key.publicKey.raw
        let der = try #require(Hex.decode("302a300506032b6570032100")) + raw
        let pem = "-----BEGIN PUBLIC KEY-----\n\(Base64.encode(der))\n-----END PUBLIC KEY-----\n"
        let jwk = #"{"crv":"Ed25519","kty":"OKP","x":"\#(Base64.encodeURL(raw))"}"#
        let header = #"{"alg":"HS256","typ":"at+jwt","kid":"\#(fixture.identifier)"}"#
        let text = Base64.encodeURL([UInt8](header.utf8)) + "." + Base64.encodeURL(fixture.payload("", nil))
        for key in [raw, der, [UInt8](pem.utf8), [UInt8](jwk.utf8)] {
            let token = text + "." + Base64.encodeURL(Digest.hmacSHA256(key: key, [UInt8](text.utf8)))
            #expect(fixture.refusal(of: token) == .wrongAlgorithm)
        }
    }

    @Test(arguments: ["unknown", "../../etc/passwd", "' OR 1=1 --", "", String(repeating: "k", count: 2000)])
    func `an unknown key identifier is refused`(identifier: String) throws {
        let header = JSONValue.object(
            JSONObject([("alg", .string("EdDSA")), ("typ", .string("at+jwt")), ("kid", .string(identifier))])
        )
        #expect(fixture.refusal(of: try fixture.signed(header: header.encoded())) == .unknownKey)
    }

    @Test func `a key identifier that is missing, no text or very long is refused`() throws {
        #expect(fixture.refusal(of: try fixture.signed(header: #"{"alg":"EdDSA","typ":"at+jwt"}"#)) == .unknownKey)
        let number = #"{"alg":"EdDSA","typ":"at+jwt","kid":1}"#
        #expect(fixture.refusal(of: try fixture.signed(header: number)) == .malformed)
        let long = #"{"alg":"EdDSA","typ":"at+jwt","kid":"\#(String(repeating: "k", count: 10_000))"}"#
        #expect(fixture.refusal(of: try fixture.signed(header: long)) == .tooLong)
    }

    @Test(arguments: [
        #""crit":["exp"]"#, #""crit":["x"],"x":1"#, #""crit":[]"#, #""b64":false"#, #""b64":true"#, #""zip":"DEF""#,
        #""jku":"https://evil.test/keys""#, #""jwk":{}"#, #""x5u":"https://evil.test""#, #""x5c":[]"#, #""cty":"JWT""#,
    ])
    func `a header member that we never write is refused`(member: String) throws {
        let header = String(fixture.goodHeader.dropLast()) + "," + member + "}"
        #expect(fixture.refusal(of: try fixture.signed(header: header)) == .unsupportedHeader)
    }

    @Test(arguments: ["JWT", "jwt", "rt+jwt", "dc+jwt", "logout+jwt", "AT+JWT", "application/at+jwt", ""])
    func `another type of token is refused`(type: String) throws {
        let header = #"{"alg":"EdDSA","typ":"\#(type)","kid":"\#(fixture.identifier)"}"#
        #expect(fixture.refusal(of: try fixture.signed(header: header)) == .wrongType)
        let none = #"{"alg":"EdDSA","kid":"\#(fixture.identifier)"}"#
        #expect(fixture.refusal(of: try fixture.signed(header: none)) == .wrongType)
    }

    @Test func `header and payload must be strict JSON objects`() throws {
        let header = fixture.goodHeader
        let payload = fixture.payload("", nil)
        #expect(fixture.refusal(of: try fixture.signed(header: header, payload: payload)) == nil)
        let duplicate = String(header.dropLast()) + #","alg":"EdDSA"}"#
        for wrong in [duplicate, header + " x", "\u{feff}" + header, "[]", "\"\"", "null", String(header.dropLast())] {
            #expect(fixture.refusal(of: try fixture.signed(header: wrong)) == .malformed)
        }
        let repeated = [UInt8](payload.dropLast()) + [UInt8](#","iss":"x"}"#.utf8)
        let notText = [UInt8](#"{"iss":""#.utf8) + [0xff] + [UInt8](#""}"#.utf8)
        for wrong in [repeated, payload + [0x78], [0xef, 0xbb, 0xbf] + payload, notText, [UInt8]("[]".utf8)] {
            #expect(fixture.refusal(of: try fixture.signed(payload: wrong)) == .malformed)
        }
        #expect(fixture.refusal(of: try fixture.signed(header: [0xff] + [UInt8](header.utf8))) == .malformed)
    }

    @Test func `only three segments that are not empty are taken apart`() throws {
        let token = try fixture.signed()
        let segments = token.split(separator: ".").map(String.init)
        let wrong = [
            "", ".", "..", "...", segments[0], segments[0] + "." + segments[1], token + ".", token + ".x",
            token + ".x.y",
            "." + segments[1] + "." + segments[2], segments[0] + ".." + segments[2],
            segments[0] + "." + segments[1] + ".", "." + token,
        ]
        for text in wrong { #expect(fixture.refusal(of: text) == .malformed, "\(text)") }
        #expect(fixture.refusal(of: String(repeating: "a", count: 1 << 20)) == .tooLong)
        #expect(fixture.refusal(of: token) == nil)
    }

    @Test(arguments: ["=", " ", "\n", "+", "é"])
    func `a segment that is not strict base64url is refused`(addition: String) throws {
        let token = try fixture.signed()
        #expect(fixture.refusal(of: token + addition) == .malformed)
        #expect(fixture.refusal(of: addition + token) == .malformed)
    }

    @Test func `a second spelling of the signature's last bits is refused`() throws {
        let token = try fixture.signed()
        let last = try #require(token.last)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let next = alphabet[try #require(alphabet.firstIndex(of: last)) + 1]
        #expect(fixture.refusal(of: token.dropLast() + String(next)) == .malformed)
    }

    @Test func `a changed payload, another key's signature and a cut signature are refused`() throws {
        let parts = try fixture.signed().split(separator: ".").map(String.init)
        let other = Base64.encodeURL(fixture.payload("jti", .string("token-2")))
        #expect(fixture.refusal(of: [parts[0], other, parts[2]].joined(separator: ".")) == .wrongSignature)
        let text = parts[0] + "." + parts[1]
        let stranger = try Ed25519PrivateKey.generate().sign([UInt8](text.utf8))
        #expect(fixture.refusal(of: text + "." + Base64.encodeURL(stranger)) == .wrongSignature)
        #expect(fixture.refusal(of: text + "." + Base64.encodeURL([UInt8](stranger.prefix(63)))) == .wrongSignature)
        #expect(fixture.refusal(of: text + "." + Base64.encodeURL([UInt8](repeating: 0, count: 64))) == .wrongSignature)
    }
}
