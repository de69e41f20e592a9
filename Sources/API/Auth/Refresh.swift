import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Exchanges a refresh token for a new pair: `POST /v1/auth/refresh`.
    func refresh(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                token: fields.string("refresh_token", maximum: 256),
                client: fields.string("client_id", maximum: 100, required: false),
                scope: fields.string("scope", maximum: 200, required: false)
            )
        }
        // A sign-in's tokens have one scope; there is nothing narrower, and nothing wider is given.
        guard form.scope == nil || form.scope == SignInScopes.all else { throw ProblemError(.invalidScope) }
        guard let presented = form.token.flatMap({ RefreshToken.parse($0) }),
            let family = try await services.accounts.signIn(refreshHash: presented.hash)
        else { throw ProblemError(.refreshRefused) }
        // A client of others renews at /oauth/token, where it proves itself: here its token is in the wrong hands.
        let client = form.client.flatMap { $0 == family.clientID ? nil : $0 } ?? SignIn.ownClient
        return try await rotate(presented, of: family, client: client, request)
    }

    /// Rotates a refresh token for a client, for every way to bring one.
    func rotate(
        _ presented: RefreshToken,
        of family: SignIn,
        client: String,
        narrowedTo narrowed: Set<KeyScope>? = nil,
        _ request: HTTPRequest
    ) async throws -> HTTPResponse {
        let now = services.time.now
        let successor = RefreshToken.make()
        let outcome = try await services.accounts.refresh(
            presented: presented.hash,
            successorHash: successor.hash,
            sealedSuccessor: try presented.seal(successor: successor.token),
            client: client,
            address: request.remoteAddress,
            userAgent: request.shownUserAgent,
            now: now,
            window: RefreshToken.replayWindow,
            audit: request.auditDraft(
                by: .stranger,
                "token.reuse_detected",
                team: nil,
                target: family.id.description,
                outcome: .refused,
                at: now,
                details: [
                    AuditDetail("user", family.userID.description), AuditDetail("device", family.deviceName),
                    AuditDetail("client", client),
                ]
            )
        )
        switch outcome {
        case .rotated(let signIn):
            return try tokenAnswer(for: signIn, refreshToken: successor.token, narrowedTo: narrowed)
        case .replayed(let signIn, let sealed):
            return try tokenAnswer(
                for: signIn,
                refreshToken: try presented.open(sealed: sealed),
                narrowedTo: narrowed
            )
        case .reused(let signIn):
            announceApp(signIn.id)
            throw ProblemError(.refreshRefused)
        case .refused:
            throw ProblemError(.refreshRefused)
        }
    }

    /// Ends the sign-in that the access token belongs to: `POST /v1/auth/logout`.
    func logout(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        try await services.accounts.revoke(
            person.signIn,
            now: services.time.now,
            audit: request.revocationDraft(person, person.signIn.description, at: services.time.now)
        )
        announce(.signIn(person.signIn))
        return .noContent
    }

    /// Tells every loop and replica that what admitted somebody has ended, so that its streams are cut.
    func announce(_ ended: Standing) {
        signIns.forget()
        activeKeys.forget()
        services.bus.publish(BusChannel.revoked, Array(ended.description.utf8))
    }
}

extension HTTPRequest {
    /// Describes that a person ended one or more of their sign-ins.
    func revocationDraft(_ person: Person, _ target: String, at now: Timestamp) -> AuditDraft {
        auditDraft(.person(person), "sign_in.revoked", team: nil, target: target, at: now)
    }
}
