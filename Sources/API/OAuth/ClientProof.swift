import Auth
import Bytes
import Core
import Crypto
import HTTP

extension Endpoints {
    /// The registered client behind a request: named by its form, and proved where it can keep a secret (RFC 6749, 2.3).
    func provenClient(_ form: FormFields, _ request: HTTPRequest) async throws -> OAuthClient {
        let shown = try Self.shownClient(form, request)
        guard let id = OAuthClientID(shown.id), let found = try await services.clients.client(id, scope: .system) else {
            throw OAuthError.invalidClient
        }
        guard let hash = found.secretHash else {
            // One without a secret that shows one is not what it believes to be.
            guard shown.secret == nil else { throw OAuthError.invalidClient }
            return found.client
        }
        guard let secret = shown.secret.flatMap({ OpaqueToken.parse($0, .clientSecret) }),
            constantTimeEqual(secret.hash, hash)
        else { throw OAuthError.invalidClient }
        return found.client
    }

    /// The client behind a request, by name: Errand's own programs, which have no secret, or a registered one.
    func clientName(_ form: FormFields, _ request: HTTPRequest) async throws -> String {
        if try Self.shownClient(form, request) == (SignIn.ownClient, nil) { return SignIn.ownClient }
        return try await provenClient(form, request).id.description
    }

    /// What a client calls itself, and the secret that it shows in the header or in the form, not in both.
    static func shownClient(_ form: FormFields, _ request: HTTPRequest) throws -> (id: String, secret: String?) {
        guard let field = request.headers["authorization"] else {
            guard let id = form["client_id"] else { throw OAuthError.invalidRequest("client_id is required.") }
            return (id, form["client_secret"])
        }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", form["client_secret"] == nil,
            let text = Base64.decode(parts[1]).flatMap({ String(strictUTF8: $0) }),
            let colon = text.firstIndex(of: ":"),
            let id = PercentEncoding.decode(text[..<colon], plusIsSpace: true),
            let secret = PercentEncoding.decode(text[text.index(after: colon)...], plusIsSpace: true),
            form["client_id"] == nil || form["client_id"] == id
        else { throw OAuthError.invalidClient }
        return (id, secret.isEmpty ? nil : secret)
    }
}
