import Auth
import Bytes
import Core
import HTTP

/// Who has proved who they are, so that a sign-in may be opened for them.
struct ProvenPerson {
    let user: User
    let proof: SignInProof
    /// Which of their passwords was right, when one was asked for: a change in the meantime refuses the sign-in.
    let passwordGeneration: Int?
    /// When they proved it; nil for just now.
    var authenticatedAt: Timestamp?
}

/// What somebody who signs in has proved.
struct SignInProof: Equatable {
    /// What came first.
    let first: FirstProof
    /// What came on top of it.
    var second: FactorMethod?

    /// The password alone.
    static let password = SignInProof(first: .password)
    /// An outside OpenID provider's word alone.
    static let oidc = SignInProof(first: .oidc)

    /// As the audit log says it: `password+totp`.
    var name: String { second.map { "\(first.rawValue)+\($0.rawValue)" } ?? first.rawValue }
}

/// How a sign-in may begin.
enum FirstProof: String {
    case password
    /// A passkey whose authenticator verified the person: both factors in one.
    case passkey
    /// A confirmation on another machine, where the person was signed in with all that is asked of them.
    case device
    /// A consent to a client of others, given where the person was signed in with all that is asked of them.
    case consent
    /// An outside OpenID provider.
    case oidc
}

/// A sign-in that has just begun, with the one copy of its refresh token.
struct OpenedSignIn {
    let signIn: SignIn
    /// Empty for a browser's, which has none.
    let refreshToken: String
}

extension Endpoints {
    /// Opens a sign-in for somebody who has proved who they are, and tells them when client or network are new.
    func openSignIn(
        _ person: ProvenPerson,
        device: String?,
        as opening: SignInOpening = .own(),
        _ request: HTTPRequest
    ) async throws -> OpenedSignIn {
        let user = person.user
        let now = services.time.now
        let id = SignInID(at: now)
        let signIn = SignIn(
            id: id,
            userID: user.id,
            deviceName: device ?? "unnamed",
            address: request.remoteAddress,
            userAgent: request.shownUserAgent,
            createdAt: now,
            lastUsedAt: now,
            expiresAt: now.adding(opening.lifetime),
            revokedAt: nil,
            authenticatedAt: opening.authenticatedAt ?? person.authenticatedAt,
            clientID: opening.client,
            scopes: opening.scopes
        )
        // Who confirms a machine or consents to a program from afar does not travel to it.
        let isPresent = ![.device, .consent].contains(person.proof.first)
        let news = try await news(of: signIn, isPresent: isPresent, request)
        let actor = AuditActor.user(user.id, device: id)
        let opened = request.auditDraft(
            by: actor,
            "sign_in.opened",
            team: nil,
            target: id.description,
            at: now,
            details: [
                AuditDetail("factor", person.proof.name), AuditDetail("device", signIn.deviceName),
                AuditDetail("client", signIn.clientID),
            ]
        )
        let notice = Notice(
            .newDevice,
            at: now,
            signIn: id,
            deviceName: signIn.deviceName,
            address: signIn.address,
            userAgent: signIn.userAgent
        )
        do throws(StoreError) {
            try await services.accounts.createSignIn(
                signIn,
                credential: opening.credential.stored,
                grant: opening.grant?.redeemed(as: id),
                passwordGeneration: person.passwordGeneration,
                traits: news.traits,
                notice: news.isEmpty ? nil : notice,
                audit: [opened] + news.drafts(request, by: actor, of: signIn)
            )
        } catch {
            // The password was changed, or the account disabled, while this one was checked.
            if error == .notFound { throw ProblemError(.wrongCredentials) }
            throw error
        }
        return OpenedSignIn(signIn: signIn, refreshToken: opening.credential.refreshToken)
    }

    /// The answer to a sign-in, which also gives the device its token, or to a refresh.
    ///
    /// `narrowed` is what a client asks of its scopes for this one access token.
    func tokenAnswer(
        for signIn: SignIn,
        refreshToken: String,
        deviceToken: String? = nil,
        narrowedTo narrowed: Set<KeyScope>? = nil
    ) throws -> HTTPResponse {
        let now = services.time.now
        // The sign-in's end is the end of its tokens too.
        let life = min(AccessTokenTimes.lifetime, signIn.expiresAt - now)
        let scopes = (narrowed ?? signIn.scopes)?.map(\.rawValue).sorted()
        let token = try services.keys.sign(
            AccessClaims(
                issuer: services.settings.publicURL,
                audience: services.settings.publicURL,
                subject: signIn.userID,
                signIn: signIn.id,
                tokenID: RequestID(at: now).description,
                issuedAt: now,
                expiresAt: now.adding(life),
                scopes: scopes ?? [SignInScopes.all],
                clientID: signIn.clientID
            )
        )
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.member("access_token", token)
                writer.member("expires_in", life.components.seconds)
                writer.member("refresh_token", refreshToken)
                writer.member("token_type", "Bearer")
                if let scopes { writer.member("scope", scopes.joined(separator: " ")) }
                if let deviceToken { writer.member("device_token", deviceToken) }
                writer.endObject()
            }
        )
    }
}

/// What a person's own tokens may be used for.
enum SignInScopes {
    /// Everything that the person may do.
    static let all = "all"
}
