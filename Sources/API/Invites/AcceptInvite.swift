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
        let joined = try await join(by: text ?? "", person, request)
        return .json(200, document { TeamView.write(joined, to: &$0) })
    }

    /// Makes a person a member by an invitation's token, for every way to bring one.
    func join(by text: String, _ person: Person, _ request: HTTPRequest) async throws -> Membership {
        guard let token = InviteToken.parse(text),
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
        return Membership(team: team.value, role: team.role)
    }
}
