import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// A team's registered clients, oldest first: `GET /v1/teams/{id}/clients`.
    func listClients(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        _ = try QueryReader(request, allowed: [])
        let clients = try await services.clients.clients(of: call.team.id, scope: call.principal.scope)
        let page = Page(items: clients, hasMore: false)
        return .json(
            200,
            encodePage(page, cursor: { $0.id.description }, encode: { ClientView.write($0, to: &$1) })
        )
    }

    /// Removes a client with all that people let it do: `DELETE /v1/teams/{id}/clients/{client}`.
    func removeClient(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let client = try await client(of: request, call)
        let now = services.time.now
        let ended = try await services.clients.removeClient(
            client.id,
            of: call.team.id,
            scope: call.principal.scope,
            now: now,
            audit: request.auditDraft(
                call,
                "client.removed",
                target: client.id.description,
                at: now,
                details: [AuditDetail("name", client.name)]
            )
        )
        guard let ended else { throw ProblemError(.missing("client")) }
        for signIn in ended { announceApp(signIn) }
        return .noContent
    }

    /// Gives a confidential client another secret; the old one is refused from now on:
    /// `POST /v1/teams/{id}/clients/{client}/rotate-secret`.
    func rotateClientSecret(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let client = try await client(of: request, call)
        try await demandFresh(person(of: call))
        guard client.isConfidential else { throw ProblemError(.clientWithoutSecret) }
        let secret = OpaqueToken.make(.clientSecret)
        let isReplaced = try await services.clients.replaceSecret(
            of: client.id,
            team: call.team.id,
            hash: secret.hash,
            scope: call.principal.scope,
            audit: request.auditDraft(
                call,
                "client.secret_rotated",
                target: client.id.description,
                at: services.time.now,
                details: [AuditDetail("name", client.name)]
            )
        )
        guard isReplaced else { throw ProblemError(.missing("client")) }
        return .json(200, document { ClientView.write(client, secret: secret.token, to: &$0) })
    }

    /// Tells every loop that a client's sign-in has ended, whose key has the same number.
    func announceApp(_ signIn: SignInID) {
        announce(.signIn(signIn))
        announce(.key(APIKeyID(high: signIn.high, low: signIn.low)))
    }

    /// The client that the path names, if it is the team's.
    private func client(of request: HTTPRequest, _ call: TeamCall) async throws -> OAuthClient {
        let id = try request.pathID("client", OAuthClientNoun.self, noun: "client")
        let found = try await services.clients.client(id, scope: call.principal.scope)?.client
        guard let found, found.team == call.team.id else { throw ProblemError(.missing("client")) }
        return found
    }
}

extension Problem {
    fileprivate static let clientWithoutSecret = Problem(
        status: 409,
        code: "client_without_secret",
        title: "This client has no secret",
        detail: "It was registered as one that cannot keep one: it proves itself by PKCE alone."
    )
}
