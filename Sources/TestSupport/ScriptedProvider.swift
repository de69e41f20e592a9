package import Bytes
package import Core
import Crypto

/// An identity provider that answers as a test wants, and remembers what it was asked; it signs with Ed25519.
package final class ScriptedProvider: ProviderTransport {
    /// What it is called.
    package let issuer: String
    /// What its answers say of their age.
    package var cacheControl = ""
    /// What becomes of every request instead of an answer.
    package var failure: ProviderTransportError?
    /// Statuses instead of 200, by path.
    package var statuses: [String: Int] = [:]
    /// Members of the description that are other than they should be.
    package var description: [String: JSONValue] = [:]
    /// Claims of the next ID token that are other than they should be; null leaves one out.
    package var claims: [String: JSONValue] = [:]
    /// Members of the next ID token's header that are other than they should be.
    package var header: [String: JSONValue] = [:]
    /// The nonce of the request that is answered.
    package var nonce = ""
    /// The paths that were asked for.
    package private(set) var asked: [String] = []
    /// The forms that were posted.
    package private(set) var forms: [String] = []
    /// The Authorization fields that came with them.
    package private(set) var authorizations: [String?] = []
    /// Called before each answer, so that a test can have it wait.
    package var beforeAnswer: (String) async -> Void = { _ in }

    private let clock: any TimeSource
    private var key: Ed25519PrivateKey
    private var serial = 1
    /// Keys that are still published.
    private var published: [(name: String, key: Ed25519PublicKey)] = []

    /// A provider of a name, on a clock.
    package init(issuer: String = "https://login.example", clock: any TimeSource) throws {
        self.issuer = issuer
        self.clock = clock
        key = try .generate()
        published = [("key-1", key.publicKey)]
    }

    /// Signs with another key from now on; the former one is published no more unless it is kept.
    package func rotate(keepsFormer: Bool = false) throws {
        key = try .generate()
        serial += 1
        published = (keepsFormer ? published : []) + [("key-\(serial)", key.publicKey)]
    }

    package func fault(of url: String, isInternal: Bool) -> String? {
        url.hasPrefix("https://") ? nil : "must be https"
    }

    package func send(_ request: ProviderRequest) async throws(ProviderTransportError) -> ProviderAnswer {
        let path = String(request.url.drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" })
        asked.append(path)
        if let form = request.form?.revealText() {
            forms.append(form)
            authorizations.append(request.authorization?.revealText())
        }
        await beforeAnswer(path)
        if let failure { throw failure }
        let body: JSONValue
        switch path {
        case "/.well-known/openid-configuration": body = configuration
        case "/keys": body = keys
        case "/token": body = (try? tokens()) ?? .null
        default: return ProviderAnswer(status: 404, body: [])
        }
        return ProviderAnswer(status: statuses[path] ?? 200, body: body.encoded(), cacheControl: cacheControl)
    }

    /// An ID token, signed as the header's changes want it.
    package func idToken() throws -> String {
        let now = clock.now.milliseconds / 1_000
        let head = Self.changed(["alg": .string("EdDSA"), "kid": .string("key-\(serial)")], by: header)
        let payload = Self.changed(
            [
                "iss": .string(issuer), "aud": .string("client"), "sub": .string("7"), "iat": .integer(now),
                "exp": .integer(now + 300), "nonce": .string(nonce), "email": .string("jane@example.org"),
                "email_verified": .bool(true), "name": .string("Jane Doe"),
            ],
            by: claims
        )
        let text = Base64.encodeURL(head.encoded()) + "." + Base64.encodeURL(payload.encoded())
        return text + "." + Base64.encodeURL(try key.sign([UInt8](text.utf8)))
    }

    private var configuration: JSONValue {
        Self.changed(
            [
                "issuer": .string(issuer), "authorization_endpoint": .string(issuer + "/authorize"),
                "token_endpoint": .string(issuer + "/token"), "jwks_uri": .string(issuer + "/keys"),
                "id_token_signing_alg_values_supported": .array([.string("EdDSA")]),
            ],
            by: description
        )
    }

    private var keys: JSONValue {
        let keys = published.map { name, key in
            JSONValue.object(
                JSONObject([
                    ("kty", .string("OKP")), ("crv", .string("Ed25519")), ("kid", .string(name)),
                    ("x", .string(Base64.encodeURL(key.raw))),
                ])
            )
        }
        return .object(JSONObject([("keys", .array(keys))]))
    }

    private func tokens() throws -> JSONValue {
        .object(
            JSONObject([
                ("access_token", .string("at-of-the-provider")), ("token_type", .string("Bearer")),
                ("id_token", .string(try idToken())),
            ])
        )
    }

    private static func changed(_ members: [String: JSONValue], by changes: [String: JSONValue]) -> JSONValue {
        let merged = members.merging(changes) { $1 }.filter { !$0.value.isNull }
        return .object(JSONObject(merged.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    }
}
