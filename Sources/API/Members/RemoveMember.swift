import Core
import HTTP

extension Endpoints {
    /// Removes a member from a team: `DELETE /v1/teams/{id}/members/{user}`.
    func removeMember(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let user = try request.pathID("user", UserNoun.self, noun: "member")
        return try await remove(user, "member.removed", request, call)
    }

    /// Leaves a team: `DELETE /v1/teams/{id}/members/me`.
    func leaveTeam(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        try await remove(person(of: call).user, "member.left", request, call)
    }

    private func remove(
        _ user: UserID,
        _ action: String,
        _ request: HTTPRequest,
        _ call: TeamCall
    ) async throws -> HTTPResponse {
        let audit = request.auditDraft(call, action, target: user.description, at: services.time.now)
        let verdict = try await services.teams.removeMember(
            user,
            from: call.team.id,
            scope: call.principal.scope,
            audit: audit
        )
        try demandDone(verdict, call, target: user.description)
        announceDeparture(of: user, from: call.team.id)
        return .noContent
    }
}
