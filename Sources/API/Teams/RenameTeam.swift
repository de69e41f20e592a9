import Core
import HTTP

extension Endpoints {
    /// Gives a team another name: `PATCH /v1/teams/{id}`.
    func renameTeam(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let name = try await request.jsonObject { $0.name("name", maximum: TeamLimits.nameBytes) } ?? ""
        let audit = request.auditDraft(
            call,
            "team.renamed",
            at: services.time.now,
            details: [AuditDetail("from", call.team.name), AuditDetail("to", name)]
        )
        let verdict = try await services.teams.rename(call.team.id, to: name, scope: call.principal.scope, audit: audit)
        try demandDone(verdict, call)
        return try await teamAnswer(call)
    }
}
