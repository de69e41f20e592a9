import Auth
import Bytes
import Testing

struct ProviderMetadataTests {
    private static let issuer = "https://login.example/tenant"

    private func metadata(_ changes: [String: JSONValue] = [:]) throws(ProviderMetadataError) -> ProviderMetadata {
        var members: [(String, JSONValue)] = [
            ("issuer", .string(Self.issuer)),
            ("authorization_endpoint", .string("https://login.example/authorize?p=1")),
            ("token_endpoint", .string("https://login.example/token")),
            ("jwks_uri", .string("https://keys.example/jwks")),
            ("response_types_supported", .array([.string("code"), .string("id_token")])),
            ("id_token_signing_alg_values_supported", .array([.string("RS256")])),
        ]
        members.removeAll { changes[$0.0] != nil }
        members += changes.filter { !$0.value.isNull }.map { ($0.key, $0.value) }
        return try ProviderMetadata(document: JSONValue.object(JSONObject(members)).encoded(), issuer: Self.issuer)
    }

    @Test func `a description says where to go`() throws {
        let metadata = try metadata()
        #expect(metadata.authorizationEndpoint == "https://login.example/authorize?p=1")
        #expect(metadata.tokenEndpoint == "https://login.example/token")
        #expect(metadata.keysURL == "https://keys.example/jwks")
        #expect(metadata.authentication == .basic && !metadata.namesItself)
        #expect(try self.metadata(["authorization_response_iss_parameter_supported": .bool(true)]).namesItself)
        let post = JSONValue.array([.string("private_key_jwt"), .string("client_secret_post")])
        #expect(try self.metadata(["token_endpoint_auth_methods_supported": post]).authentication == .post)
    }

    @Test(arguments: [
        "https://login.example/tenant/", "https://login.example", "https://LOGIN.example/tenant",
        "http://login.example/tenant", "https://evil.example/tenant",
    ])
    func `item 43: a description of another issuer is refused`(issuer: String) {
        #expect(throws: ProviderMetadataError.self) { try metadata(["issuer": .string(issuer)]) }
        #expect(throws: ProviderMetadataError.self) { try metadata(["issuer": .null]) }
        #expect(throws: Never.self) { try metadata() }
    }

    @Test(arguments: [
        ("authorization_endpoint", JSONValue.null), ("authorization_endpoint", .string("javascript:alert(1)")),
        ("authorization_endpoint", .string("https://login.example/a\" onclick=")),
        ("token_endpoint", .string("/token")),
        ("token_endpoint", .string("https://login.example/token#x")), ("jwks_uri", .string("file:///etc/passwd")),
        ("jwks_uri", .string("https://keys.example/\r\nx: y")),
        ("jwks_uri", .string("https://" + String(repeating: "a", count: 2_050))),
        ("code_challenge_methods_supported", .array([.string("plain")])),
        ("response_types_supported", .array([.string("id_token")])),
        ("id_token_signing_alg_values_supported", .array([.string("none"), .string("HS256")])),
        ("token_endpoint_auth_methods_supported", .array([.string("private_key_jwt")])),
    ])
    func `a description that cannot be used is refused`(name: String, value: JSONValue) {
        #expect(throws: ProviderMetadataError.self) { try metadata([name: value]) }
    }

    @Test(arguments: ["", "null", "[]", "{", #"{"issuer":"https://login.example/tenant","issuer":"x"}"#])
    func `what is no JSON object is no description`(text: String) {
        #expect(throws: ProviderMetadataError.self) {
            try ProviderMetadata(document: [UInt8](text.utf8), issuer: Self.issuer)
        }
    }

    @Test func `item 39: the vector of RFC 7636 appendix B, and verifiers of 43 to 128 characters alone`() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        #expect(PKCE.challenge(of: verifier) == challenge && PKCE.answers(verifier, challenge))
        #expect(!PKCE.answers(verifier + "x", challenge) && !PKCE.answers(challenge, challenge))
        for length in [0, 42, 129] {
            let text = String(repeating: "a", count: length)
            #expect(!PKCE.isVerifier(text) && !PKCE.answers(text, PKCE.challenge(of: text)))
        }
        for length in [43, 128] {
            let text = String(repeating: "~", count: length)
            #expect(PKCE.answers(text, PKCE.challenge(of: text)))
        }
        #expect(!PKCE.isVerifier(String(repeating: "+", count: 43)))
        #expect(PKCE.isVerifier(PKCE.makeVerifier()) && PKCE.makeVerifier() != PKCE.makeVerifier())
        #expect(PKCE.isChallenge(challenge) && !PKCE.isChallenge(challenge + "A") && !PKCE.isChallenge("plain"))
    }

    @Test func `item 60: states and codes are 256 random bits, and nonce and verifier need the salt too`() {
        let (state, salt) = (ProviderState.make(), ProviderState.makeSalt())
        #expect(ProviderState.parse(state.text)?.hash == state.hash && ProviderState.make().text != state.text)
        #expect(ProviderState.parse("") == nil && ProviderState.parse(state.text + "AAAA") == nil)
        #expect(state.nonce(salt: salt) != state.verifier(salt: salt))
        #expect(state.nonce(salt: salt) != state.nonce(salt: ProviderState.makeSalt()))
        #expect(state.nonce(salt: salt) != ProviderState.make().nonce(salt: salt))
        #expect(PKCE.isVerifier(state.verifier(salt: salt)))
        let code = ProviderCode.make()
        #expect(ProviderCode.parse(code.text)?.hash == code.hash && ProviderCode.make().text != code.text)
        #expect(ProviderCode.parse(String(code.text.dropFirst())) == nil && ProviderCode.parse(code.text + "A") == nil)
    }
}
