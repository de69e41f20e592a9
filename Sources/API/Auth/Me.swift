import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The signed-in person and their teams: `GET /v1/me`.
    func me(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        guard let user = try await services.accounts.user(person.user) else { throw ProblemError(.unauthenticated) }
        let memberships = try await services.teams.memberships(of: user.id)
        let factors = try await services.factors.factors(of: user.id)
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.member("id", user.id.description)
                writer.member("email", user.email)
                writer.member("name", user.name)
                writer.member("is_administrator", user.isAdministrator)
                writer.member("created_at", user.createdAt)
                writer.key("second_factor")
                writer.beginObject()
                writer.member("totp_since", factors.totpSince)
                writer.member("passkeys", factors.passkeys)
                writer.member("recovery_codes_left", factors.recoveryCodes)
                writer.endObject()
                writer.key("teams")
                writer.beginArray()
                for membership in memberships { TeamView.write(membership, to: &writer) }
                writer.endArray()
                writer.endObject()
            }
        )
    }

    /// A one-use ticket for clients whose WebSocket cannot send a header: `POST /v1/stream-tickets`.
    func createStreamTicket(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let ticket = StreamTicket.make()
        let expiresAt = services.time.now.adding(StreamTicket.lifetime)
        try await services.accounts.createTicket(
            hash: ticket.hash,
            user: person.user,
            signIn: person.signIn,
            expiresAt: expiresAt
        )
        return .json(
            201,
            document { writer in
                writer.beginObject()
                writer.member("ticket", ticket.token)
                writer.member("subprotocol", StreamTicket.subprotocolPrefix + ticket.token)
                writer.member("expires_at", expiresAt)
                writer.endObject()
            }
        )
    }

    /// The public keys that verify access tokens: `GET /.well-known/jwks.json`.
    func jwks(_ request: HTTPRequest) async throws -> HTTPResponse {
        var response = HTTPResponse.json(200, services.keys.jwks(at: services.time.now))
        let age = SigningKeyTimes.publicationAge.components.seconds
        response.headers.set(name: "cache-control", value: "public, max-age=\(age)")
        return response
    }
}
