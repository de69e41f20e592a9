import Auth
import Bytes
import Core
import HTTP

/// What a client wants of a sign-in by a provider.
struct ProviderWish {
    /// What the client will answer when it redeems the code.
    let challenge: String
    /// Where the browser goes in the end.
    let redirect: ProviderRedirect
    /// What the client wants back with the code.
    let clientState: String?
    /// Whether the person must prove anew who they are.
    let wantsFresh: Bool
    /// Who wants to link the identity; nil for a sign-in.
    let links: IdentityLinking?
}

extension Endpoints {
    /// The providers by which people can sign in: `GET /v1/auth/providers`.
    func listProviders(_ request: HTTPRequest) async throws -> HTTPResponse {
        let providers = try await services.providers.providers()
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.key("providers")
                writer.beginArray()
                for provider in providers {
                    writer.beginObject()
                    writer.member("name", provider.name)
                    writer.member("label", provider.label)
                    writer.endObject()
                }
                writer.endArray()
                writer.endObject()
            }
        )
    }

    /// Begins a sign-in by a provider: `POST /v1/auth/oidc/{provider}/start`.
    func startProviderSignIn(_ request: HTTPRequest) async throws -> HTTPResponse {
        let publicURL = services.settings.publicURL
        let form = try await request.jsonObject { fields in
            (wish: ProviderWishForm(&fields, publicURL: publicURL), fresh: fields.boolean("fresh"))
        }
        return try await sent(form.wish.wish(wantsFresh: form.fresh ?? false, links: nil), to: namedProvider(request))
    }

    /// Begins to link an identity to the account: `POST /v1/me/identities/start`.
    ///
    /// A token that was left lying about must not be enough to open another way in.
    func startIdentityLink(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let publicURL = services.settings.publicURL
        let form = try await request.jsonObject { fields in
            (provider: fields.string("provider", maximum: 40), wish: ProviderWishForm(&fields, publicURL: publicURL))
        }
        try await demandFresh(person)
        let links = IdentityLinking(user: person.user, signIn: person.signIn)
        return try await sent(form.wish.wish(wantsFresh: false, links: links), to: provider(named: form.provider))
    }

    /// Notes what is wanted, and gives the link that the browser has to follow.
    func begin(_ wish: ProviderWish, at provider: OpenIDProvider) async throws -> String {
        let metadata: ProviderMetadata
        do throws(ProviderFailure) { metadata = try await directory.metadata(of: provider) } catch {
            throw ProblemError(Problem(error))
        }
        let (state, salt, now) = (ProviderState.make(), ProviderState.makeSalt(), services.time.now)
        let signIn = ProviderSignIn(
            provider: provider.id,
            salt: salt,
            challenge: wish.challenge,
            redirect: wish.redirect.text,
            clientState: wish.clientState,
            wantsFresh: wish.wantsFresh,
            links: wish.links,
            startedAt: now,
            expiresAt: now.adding(ProviderState.lifetime)
        )
        try await services.identities.begin(signIn, stateHash: state.hash)
        var members = [
            ("response_type", "code"), ("client_id", provider.clientID),
            ("redirect_uri", callback(of: provider)), ("scope", "openid email profile"), ("state", state.text),
            ("nonce", state.nonce(salt: salt)),
            ("code_challenge", PKCE.challenge(of: state.verifier(salt: salt))),
            ("code_challenge_method", PKCE.method),
        ]
        if wish.wantsFresh { members += [("prompt", "login"), ("max_age", "0")] }
        let endpoint = metadata.authorizationEndpoint
        return endpoint + (endpoint.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + FormEncoding.encode(members)
    }

    /// Where a provider sends browsers back to.
    func callback(of provider: OpenIDProvider) -> String {
        var base = services.settings.publicURL
        while base.hasSuffix("/") { base.removeLast() }
        return "\(base)/v1/auth/oidc/\(provider.name)/callback"
    }

    /// The provider that the path names.
    func namedProvider(_ request: HTTPRequest) async throws -> OpenIDProvider {
        try await provider(named: request.parameters["provider"])
    }

    /// The provider of a name that a client gave.
    func provider(named name: String?) async throws -> OpenIDProvider {
        guard let name, OpenIDProvider.isName(name),
            let provider = try await services.providers.provider(named: name)
        else { throw ProblemError(.missing("provider")) }
        return provider
    }

    private func sent(_ wish: ProviderWish, to provider: OpenIDProvider) async throws -> HTTPResponse {
        let url = try await begin(wish, at: provider)
        return .json(
            201,
            document { writer in
                writer.beginObject()
                writer.member("authorization_url", url)
                writer.member("expires_at", services.time.now.adding(ProviderState.lifetime))
                writer.endObject()
            }
        )
    }
}

/// What a client sends to begin.
private struct ProviderWishForm {
    private let challenge: String?
    private let redirect: ProviderRedirect?
    private let clientState: String?

    init(_ fields: inout FieldReader, publicURL: String) {
        challenge = fields.string("code_challenge", maximum: 64)
        if let challenge, !PKCE.isChallenge(challenge) {
            fields.fault("code_challenge", "must be the base64url SHA-256 of a verifier: 43 characters")
        }
        let method = fields.string("code_challenge_method", maximum: 16, required: false)
        if let method, method != PKCE.method { fields.fault("code_challenge_method", "must be \"\(PKCE.method)\"") }
        let place = fields.string("redirect_uri", maximum: ProviderRedirect.longest)
        redirect = place.flatMap { ProviderRedirect($0, publicURL: publicURL) }
        if place != nil, redirect == nil {
            fields.fault("redirect_uri", "must be a page of this server, or http://127.0.0.1:PORT/…")
        }
        clientState = fields.string("state", maximum: 512, required: false)
    }

    /// The wish, of a form without faults.
    func wish(wantsFresh: Bool, links: IdentityLinking?) throws -> ProviderWish {
        guard let challenge, let redirect else { throw ProblemError(.internalError) }
        return ProviderWish(
            challenge: challenge,
            redirect: redirect,
            clientState: clientState,
            wantsFresh: wantsFresh,
            links: links
        )
    }
}
