import Auth
import Bytes
import Core
import HTTP
import Platform

/// Who opens a stream, and by what.
struct StreamEntry {
    let principal: Principal
    /// The WebSocket subprotocol to answer with.
    let subprotocol: String?
    /// The hash of the one-use ticket that the client brought.
    let ticket: [UInt8]?
}

extension Endpoints {
    /// Whoever is behind a request; refuses a token or key that is missing, forged, expired or revoked.
    func authenticate(_ request: HTTPRequest) async throws -> Principal {
        guard let token = bearerToken(request) else { throw ProblemError(.unauthenticated) }
        return try await principal(
            token,
            // An unknown key costs a query, and a stranger's address as much as any other try of a secret.
            beforeAsking: { [self] in try await admitStranger(request) },
            charging: { [self] in try await charge($0, request) }
        )
    }

    /// Whoever is behind a token or key.
    ///
    /// One device's or key's flood is refused before it is asked for whether that stands, which may cost a query.
    private func principal(
        _ token: String,
        beforeAsking: () async throws -> Void,
        charging: (Principal) async throws -> Void
    ) async throws -> Principal {
        guard token.hasPrefix(APIKeyToken.prefix) else {
            let claims = try claims(token)
            guard claims.scopes == [SignInScopes.all] else { return try await app(claims, charging: charging) }
            let person = Person(user: claims.subject, signIn: claims.signIn, expiresAt: claims.expiresAt)
            try await charging(.person(person))
            try await demandStanding(person)
            return .person(person)
        }
        // A mistyped one costs nothing.
        guard let presented = APIKeyToken.parse(token) else { throw ProblemError(.keyRefused) }
        let known = activeKeys.known(presented.hash)
        if let known { try await charging(.key(known)) } else { try await beforeAsking() }
        guard let key = try await activeKeys.key(presented.hash) else { throw ProblemError(.keyRefused) }
        if known == nil { try await charging(.key(key)) }
        return .key(key)
    }

    /// The person behind a request; an API key is none.
    func authenticatePerson(_ request: HTTPRequest) async throws -> Person {
        let principal = try await authenticate(request)
        guard case .person(let person) = principal else { throw Refusal(.personRequired, principal, nil) }
        return person
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
        let person = Person(
            user: user,
            signIn: signIn,
            expiresAt: services.time.now.adding(AccessTokenTimes.lifetime)
        )
        try await charge(.person(person), request)
        try await demandStanding(person)
        return StreamEntry(
            principal: .person(person),
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

    /// A client of others that acts for a person: what it may do stands as a key, and its token narrows that further.
    private func app(_ claims: AccessClaims, charging: (Principal) async throws -> Void) async throws -> Principal {
        // The signature held: whoever asks was given the token by us.
        guard var key = try await activeKeys.key(AppKey.hash(of: claims.signIn)),
            key.issuedBy == claims.subject
        else { throw ProblemError(.unauthenticated) }
        key.scopes.formIntersection(claims.scopes.compactMap { KeyScope(rawValue: $0) })
        key.expiresAt = claims.expiresAt
        try await charging(.key(key))
        guard try await signIns.isActive(claims.signIn) else { throw ProblemError(.unauthenticated) }
        return .key(key)
    }

    /// Verifies a token without asking the database.
    private func claims(_ token: String) throws -> AccessClaims {
        do throws(TokenError) {
            return try services.verifier.verify(token, now: services.time.now)
        } catch {
            throw ProblemError(error == .expired ? .tokenExpired : .unauthenticated)
        }
    }

    /// Refuses a revoked sign-in.
    private func demandStanding(_ person: Person) async throws {
        guard try await signIns.isActive(person.signIn) else { throw ProblemError(.unauthenticated) }
    }

    /// Why a stream has to end, or nil while it may go on; a store that is away ends no stream.
    func endOfStream(_ principal: Principal) async -> StreamEnd? {
        if principal.isExpired(at: services.time.now) { return .expired }
        let isGood = (try? await stands(principal.standing)) ?? true
        return isGood ? nil : .revoked
    }

    /// Whoever is behind a token that a stream's client sent in band, and may still read the job.
    func renewed(_ token: String, on job: JobID) async throws -> Principal {
        let fresh = try await principal(
            token,
            // One message at a time is taken on a socket, whose opening was charged.
            beforeAsking: {},
            charging: { [rates] in
                let verdict = await rates.take($0, .read)
                guard verdict.isAllowed else { throw ProblemError(.rateLimited(verdict)) }
            }
        )
        do {
            _ = try await enterJob(job, fresh, .jobRead)
        } catch let refusal as Refusal {
            throw ProblemError(refusal.problem)
        }
        return fresh
    }

    /// Whether what admitted somebody still holds.
    func stands(_ standing: Standing) async throws(StoreError) -> Bool {
        switch standing {
        case .signIn(let id): try await signIns.isActive(id)
        case .key(let id): try await activeKeys.isActive(id)
        }
    }

    private func bearerToken(_ request: HTTPRequest) -> String? {
        // By bytes: a token has a thousand of them, and to find its characters costs more than to check it.
        guard let value = request.headers["authorization"], let space = value.utf8.firstIndex(of: UInt8(ascii: " ")),
            value[..<space].lowercased() == "bearer"
        else { return nil }
        let token = value[value.utf8.index(after: space)...]
        return token.isEmpty ? nil : String(token)
    }

    /// A browser always sends Origin; a page of another origin must not ride on a person's session.
    private func checkOrigin(_ request: HTTPRequest) throws {
        guard let origin = request.headers["origin"] else { return }
        guard isOwnOrigin(origin, request) || services.settings.allowedOrigins.contains(origin) else {
            throw ProblemError(.forbidden("This origin may not open streams; add it to ERRAND_CORS_ORIGINS."))
        }
    }
}
