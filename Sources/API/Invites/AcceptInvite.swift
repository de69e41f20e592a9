import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Takes an invitation up: `POST /v1/invites/accept`.
    ///
    /// Unknown, used, revoked, expired, bound to another address, made by one who may not invite any more: one answer.
    func acceptInvite(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let text = try await request.jsonObject { $0.string("token", maximum: InviteToken.maximumBytes) }
        guard let token = text.flatMap({ InviteToken.parse($0) }),
            let invite = try await services.invites.invite(tokenHash: token.hash)
        else { throw ProblemError(.missing("invite")) }
        let now = services.time.now
        let audit = request.auditDraft(
            .person(person),
            "invite.accepted",
            team: invite.teamID,
            target: invite.id.description,
            at: now,
            details: [AuditDetail("role", invite.role.rawValue)]
        )
        let verdict = try await services.invites.accept(
            tokenHash: token.hash,
            now: now,
            scope: person.scope,
            audit: audit
        )
        if let problem = verdict.problem { throw ProblemError(problem) }
        guard let team = try await services.teams.team(invite.teamID, scope: person.scope) else {
            throw ProblemError(.missing("team"))
        }
        let membership = Membership(team: team.value, role: team.role)
        return .json(200, document { TeamView.write(membership, to: &$0) })
    }
}
