import Bytes
import Core
import HTTP

extension Endpoints {
    /// Changes a member's role: `PATCH /v1/teams/{id}/members/{user}`.
    func updateMember(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let user = try request.pathID("user", UserNoun.self, noun: "member")
        let wanted = try await request.jsonObject { $0.choice("role", Role.self, required: true) }
        guard let wanted else { throw ProblemError(.missing("member")) }
        let audit = request.auditDraft(
            call,
            "member.role_changed",
            target: user.description,
            at: services.time.now,
            details: [AuditDetail("role", wanted.rawValue)]
        )
        let verdict = try await services.teams.setRole(
            of: user,
            in: call.team.id,
            to: wanted,
            scope: call.principal.scope,
            audit: audit
        )
        try demandDone(verdict, call, target: user.description)
        guard let member = try await services.teams.member(user, of: call.team.id, scope: call.principal.scope) else {
            throw ProblemError(.missing("member"))
        }
        return .json(200, document { TeamView.write(member, to: &$0) })
    }
}
