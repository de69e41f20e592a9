import Core
import HTTP

extension Endpoints {
    /// Jobs that one request ends before it answers; the sweep ends the others.
    private static let endedAtOnce = 10_000

    /// Begins a team's deletion, which can be taken back for seven days: `DELETE /v1/teams/{id}`.
    func deleteTeam(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let now = services.time.now
        let verdict = try await services.teams.delete(
            call.team.id,
            now: now,
            scope: call.principal.scope,
            audit: request.auditDraft(call, "team.deleted", at: now)
        )
        try demandDone(verdict, call)
        let endings = TeamEndings(services)
        var ended = 0
        // A store that goes away now leaves them to the sweep: the deletion itself is written.
        while ended < Endpoints.endedAtOnce, let some = try? await endings.endJobs(), some > 0 { ended += some }
        return try await teamAnswer(call, status: 202)
    }

    /// Takes a team's deletion back: `POST /v1/teams/{id}/restore`.
    func restoreTeam(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let now = services.time.now
        let verdict = try await services.teams.restore(
            call.team.id,
            now: now,
            scope: call.principal.scope,
            audit: request.auditDraft(call, "team.restored", at: now)
        )
        try demandDone(verdict, call)
        return try await teamAnswer(call)
    }
}
