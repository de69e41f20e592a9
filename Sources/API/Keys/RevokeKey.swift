import Auth
import Core
import HTTP

extension Endpoints {
    /// Ends an API key at once: `DELETE /v1/teams/{id}/api-keys/{key}`.
    func revokeKey(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let key = try await key(of: request, call)
        let isRevoked = try await services.apiKeys.revokeKey(
            key.id,
            of: call.team.id,
            scope: call.principal.scope,
            now: services.time.now,
            audit: request.auditDraft(
                call.principal,
                "api_key.revoked",
                team: call.team.id,
                target: key.id.description,
                at: services.time.now,
                details: [AuditDetail("name", key.name)]
            )
        )
        guard isRevoked else { throw ProblemError(.missing("api_key")) }
        announce(.key(key.id))
        return .noContent
    }
}
