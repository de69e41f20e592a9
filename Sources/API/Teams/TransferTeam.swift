import Core
import HTTP

extension Endpoints {
    /// Hands a team over to another member: `POST /v1/teams/{id}/transfer`.
    func transferTeam(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let heir = try await request.jsonObject { $0.id("user_id", UserNoun.self) }
        guard let heir else { throw ProblemError(.missing("member")) }
        let audit = request.auditDraft(call, "team.transferred", target: heir.description, at: services.time.now)
        let verdict = try await services.teams.transfer(
            call.team.id,
            to: heir,
            scope: call.principal.scope,
            audit: audit
        )
        try demandDone(verdict, call, target: heir.description)
        return try await teamAnswer(call)
    }
}
