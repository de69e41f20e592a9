import Auth
import Bytes
import Core
import HTTP
import Platform

/// Who asks: a signed-in person on one device.
struct Principal {
    let user: UserID
    let signIn: SignInID
    let expiresAt: Timestamp

    /// What the person may see.
    var scope: Scope { .user(user) }

    /// Whether the person may do something where they have this role.
    func allows(_ permission: Permission, role: Role) -> Bool { Permissions.allows(role: role, permission) }
}

extension Endpoints {
    /// The person behind a request; refuses a token that is missing, forged, expired or whose sign-in was revoked.
    func authenticate(_ request: HTTPRequest) async throws -> Principal {
        guard let token = bearerToken(request) else { throw ProblemError(.unauthenticated) }
        let principal = try principal(token)
        try await admit(principal)
        return principal
    }

    /// The same for a WebSocket, which may bring a one-use ticket as a subprotocol in place of the header.
    func authenticateStream(_ request: HTTPRequest) async throws -> (Principal, subprotocol: String?) {
        try checkOrigin(request)
        if request.headers["authorization"] != nil {
            return (
                try await authenticate(request), subprotocol: request.offeredSubprotocols.first { $0 == "errand.v1" }
            )
        }
        let offered = request.offeredSubprotocols
        guard let ticket = offered.first(where: { $0.hasPrefix(StreamTicket.subprotocolPrefix) }) else {
            throw ProblemError(.unauthenticated)
        }
        try admitStranger(request)
        guard let hash = StreamTicket.hash(ofSubprotocol: ticket),
            let (user, signIn) = try await services.accounts.redeemTicket(hash: hash, now: services.time.now)
        else { throw ProblemError(.ticketRefused) }
        let principal = Principal(
            user: user,
            signIn: signIn,
            expiresAt: services.time.now.adding(AccessTokenTimes.lifetime)
        )
        try await admit(principal)
        return (principal, subprotocol: offered.first { $0 == "errand.v1" } ?? ticket)
    }

    /// Verifies a token without asking the database.
    func principal(_ token: String) throws -> Principal {
        do throws(TokenError) {
            let claims = try services.verifier.verify(token, now: services.time.now)
            return Principal(user: claims.subject, signIn: claims.signIn, expiresAt: claims.expiresAt)
        } catch {
            throw ProblemError(error == .expired ? .tokenExpired : .unauthenticated)
        }
    }

    /// Refuses a revoked sign-in, and one person's flood.
    func admit(_ principal: Principal) async throws {
        guard try await signIns.isActive(principal.signIn) else { throw ProblemError(.unauthenticated) }
        let wait = requestRates.take(principal.user.description, at: services.loop.now)
        guard wait == 0 else { throw ProblemError(.rateLimited(wait)) }
    }

    /// Whether a stream of this person may go on; a store that is away ends no stream.
    func mayGoOn(_ principal: Principal) async -> Bool { (try? await signIns.isActive(principal.signIn)) ?? true }

    /// Refuses an address that tries secrets without end.
    func admitStranger(_ request: HTTPRequest) throws(ProblemError) {
        let wait = strangerRates.take(request.remoteAddress, at: services.loop.now)
        guard wait == 0 else { throw ProblemError(.rateLimited(wait)) }
    }

    private func bearerToken(_ request: HTTPRequest) -> String? {
        guard let value = request.headers["authorization"] else { return nil }
        let parts = value.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased() == "bearer", !parts[1].isEmpty else { return nil }
        return String(parts[1])
    }

    /// A browser always sends Origin; a page of another origin must not ride on a person's session.
    private func checkOrigin(_ request: HTTPRequest) throws {
        guard let origin = request.headers["origin"] else { return }
        let own = (request.isSecure ? "https://" : "http://") + request.authority
        guard
            origin == own || origin == services.settings.publicURL || services.settings.allowedOrigins.contains(origin)
        else { throw ProblemError(.forbidden("This origin may not open streams; add it to ERRAND_CORS_ORIGINS.")) }
    }
}
