import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Exchanges a client's refresh token for a new pair (RFC 6749, 6); the scope is never wider than the person gave.
    func exchangeRefreshToken(_ form: FormFields, _ request: HTTPRequest) async throws -> HTTPResponse {
        let client = try await clientName(form, request)
        guard let presented = form["refresh_token"].flatMap({ RefreshToken.parse($0) }),
            let family = try await services.accounts.signIn(refreshHash: presented.hash)
        else { throw OAuthError.invalidGrant }
        var narrowed: Set<KeyScope>?
        if let text = form["scope"], family.scopes != nil || text != SignInScopes.all {
            guard let asked = Self.scopes(text), asked.isSubset(of: family.scopes ?? []) else {
                throw OAuthError.invalidScope
            }
            narrowed = asked
        }
        do {
            return try await rotate(
                presented,
                of: family,
                client: client,
                narrowedTo: narrowed,
                request
            )
        } catch let error as ProblemError where error.problem.code == Problem.refreshRefused.code {
            throw OAuthError.invalidGrant
        }
    }

    /// Ends the sign-in that a token belongs to: `POST /oauth/revoke` (RFC 7009).
    ///
    /// A token that is unknown, or another client's, is answered alike: there is nothing to end.
    func revokeToken(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.form()
        let client = try await clientName(form, request)
        guard let token = form["token"] else { throw OAuthError.invalidRequest("token is required.") }
        let now = services.time.now
        let found: SignIn?
        if let refresh = RefreshToken.parse(token) {
            found = try await services.accounts.signIn(refreshHash: refresh.hash)
        } else if let claims = try? services.verifier.verify(token, now: now) {
            found = try await services.accounts.signIn(claims.signIn)
        } else {
            found = nil
        }
        if let found, found.clientID == client {
            try await services.accounts.revoke(
                found.id,
                now: now,
                audit: request.auditDraft(
                    by: .user(found.userID, device: found.id),
                    "sign_in.revoked",
                    team: nil,
                    target: found.id.description,
                    at: now,
                    details: [AuditDetail("by", "client")]
                )
            )
            announceApp(found.id)
        }
        return HTTPResponse(status: 200)
    }
}
