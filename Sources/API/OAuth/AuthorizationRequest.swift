import Auth
import Core
import HTTP

/// What a client asks a person for, once all of it holds (RFC 6749, 4.1.1; RFC 7636; RFC 9700).
struct AuthorizationRequest {
    let client: OAuthClient
    let redirect: RedirectURI
    let scopes: Set<KeyScope>
    let challenge: CodeChallenge
    let state: String
    /// The parameters as they came, to be asked for again by the form.
    let parameters: [(String, String)]

    /// What is read; other parameters are ignored, as the protocol says.
    static let names = [
        "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
    ]
    /// Longer ones are no notes of a client to itself.
    static let longestState = 512
}

/// A request that is answered at the client, because client and address are known to belong together.
struct AuthorizationRefusal: Error {
    let redirect: RedirectURI
    let state: String?
    let code: String
    let description: String
}

extension Endpoints {
    /// Judges a request; until client and address are known to belong together nobody is sent anywhere.
    func authorizationRequest(_ fields: FormFields) async throws -> AuthorizationRequest {
        guard let id = fields["client_id"].flatMap({ OAuthClientID($0) }),
            let client = try await services.clients.client(id, scope: .system)?.client
        else { throw ProblemError(.clientUnknown) }
        guard let asked = fields["redirect_uri"].flatMap({ RedirectURI($0) }),
            client.redirectURIs.contains(where: { RedirectURI($0)?.admits(asked) == true })
        else { throw ProblemError(.redirectUnknown) }
        let state = fields["state"]
        func refuse(_ code: String, _ description: String) -> AuthorizationRefusal {
            AuthorizationRefusal(redirect: asked, state: state, code: code, description: description)
        }
        guard let state, state.utf8.count <= AuthorizationRequest.longestState,
            state.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
        else { throw refuse("invalid_request", "state is required: up to 512 printable characters.") }
        guard fields["response_type"] == "code" else {
            throw refuse("unsupported_response_type", "response_type must be code.")
        }
        guard fields["code_challenge_method"] == CodeChallenge.method,
            let challenge = fields["code_challenge"].flatMap({ CodeChallenge($0) })
        else { throw refuse("invalid_request", "PKCE is required: code_challenge with the method S256.") }
        guard let scopes = Self.scopes(fields["scope"]), scopes.isSubset(of: client.scopes) else {
            throw refuse("invalid_scope", "scope must name scopes that the client is registered for.")
        }
        return AuthorizationRequest(
            client: client,
            redirect: asked,
            scopes: scopes,
            challenge: challenge,
            state: state,
            parameters: AuthorizationRequest.names.compactMap { name in fields[name].map { (name, $0) } }
        )
    }

    /// The scopes of a parameter, each known; nil for none at all or one that is not.
    static func scopes(_ text: String?) -> Set<KeyScope>? {
        let words = (text ?? "").split(separator: " ")
        let scopes = words.compactMap { KeyScope(rawValue: String($0)) }
        return scopes.isEmpty || scopes.count != words.count ? nil : Set(scopes)
    }

    /// Sends the browser back to the client, with who answers (RFC 9207).
    func answer(_ redirect: RedirectURI, _ parameters: [(String, String?)]) -> HTTPResponse {
        let all = parameters + [("iss", services.settings.publicURL)]
        let pairs = all.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.encode($0))" } }
        return WebPage.redirect(to: redirect.adding(pairs.joined(separator: "&")))
    }

    /// Sends a refusal to the client.
    func answer(_ refusal: AuthorizationRefusal) -> HTTPResponse {
        answer(
            refusal.redirect,
            [("error", refusal.code), ("error_description", refusal.description), ("state", refusal.state)]
        )
    }
}

extension Problem {
    static let clientUnknown = Problem(
        status: 400,
        code: "client_unknown",
        title: "This program is not registered here",
        detail: "Whoever sent you here may have been removed. Nothing was given away."
    )
    static let redirectUnknown = Problem(
        status: 400,
        code: "redirect_unknown",
        title: "This program is not registered with this address",
        detail: "You would have been sent to a place that it has not named. Nothing was given away."
    )
}
