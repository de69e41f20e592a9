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

    /// Whether the token behind it has had its time.
    func isExpired(at now: Timestamp) -> Bool { now >= expiresAt }
}

/// Who opens a stream, and by what.
struct StreamEntry {
    let principal: Principal
    /// The WebSocket subprotocol to answer with.
    let subprotocol: String?
    /// The hash of the one-use ticket that the client brought.
    let ticket: [UInt8]?
}

extension Endpoints {
    /// The person behind a request; refuses a token that is missing, forged, expired or whose sign-in was revoked.
    func authenticate(_ request: HTTPRequest) async throws -> Principal {
        guard let token = bearerToken(request) else { throw ProblemError(.unauthenticated) }
        let principal = try principal(token)
        try await admit(principal, request)
        return principal
    }

    /// The same for a WebSocket, which may bring a one-use ticket as a subprotocol in place of the header.
    ///
    /// The ticket is only looked at: `open` spends it, when nothing else refuses the request any more.
    func authenticateStream(_ request: HTTPRequest) async throws -> StreamEntry {
        try checkOrigin(request)
        if request.headers["authorization"] != nil {
            return StreamEntry(
                principal: try await authenticate(request),
                subprotocol: request.offeredSubprotocols.first { $0 == "errand.v1" },
                ticket: nil
            )
        }
        let offered = request.offeredSubprotocols
        guard let ticket = offered.first(where: { $0.hasPrefix(StreamTicket.subprotocolPrefix) }) else {
            throw ProblemError(.unauthenticated)
        }
        guard let hash = StreamTicket.hash(ofSubprotocol: ticket),
            let (user, signIn) = try await services.accounts.ticket(hash: hash, now: services.time.now)
        else { throw ProblemError(.ticketRefused) }
        let principal = Principal(
            user: user,
            signIn: signIn,
            expiresAt: services.time.now.adding(AccessTokenTimes.lifetime)
        )
        try await admit(principal, request)
        return StreamEntry(
            principal: principal,
            subprotocol: offered.first { $0 == "errand.v1" } ?? ticket,
            ticket: hash
        )
    }

    /// Lets a stream open that all other checks have passed: the last of them is the handshake, and then the ticket is
    /// spent, which only one request can do.
    func open(_ entry: StreamEntry, _ request: HTTPRequest) async throws {
        _ = try WebSocketHandshake.key(of: request)
        guard let ticket = entry.ticket else { return }
        guard try await services.accounts.redeemTicket(hash: ticket, now: services.time.now) != nil else {
            throw ProblemError(.ticketRefused)
        }
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

    /// Refuses one device's flood and a revoked sign-in; in this order, because asking for the sign-in may cost a query.
    func admit(_ principal: Principal, _ request: HTTPRequest) async throws {
        try await charge(principal, request)
        try await demandActive(principal)
    }

    private func demandActive(_ principal: Principal) async throws {
        guard try await signIns.isActive(principal.signIn) else { throw ProblemError(.unauthenticated) }
    }

    /// Why a stream of this person has to end, or nil while it may go on; a store that is away ends no stream.
    func endOfStream(_ principal: Principal) async -> StreamEnd? {
        if principal.isExpired(at: services.time.now) { return .expired }
        let isActive = (try? await signIns.isActive(principal.signIn)) ?? true
        return isActive ? nil : .revoked
    }

    /// The person behind a token that a stream's client sent in band, who may still read the job.
    func renewed(_ token: String, on job: JobID) async throws -> Principal {
        let fresh = try principal(token)
        let verdict = await rates.take(fresh.user, fresh.signIn, .read)
        guard verdict.isAllowed else { throw ProblemError(.rateLimited(verdict)) }
        try await demandActive(fresh)
        do {
            _ = try await enterJob(job, fresh, .jobRead)
        } catch let refusal as Refusal {
            throw ProblemError(refusal.problem)
        }
        return fresh
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
