import Bytes
import Core
import HTTP

extension Endpoints {
    /// A team's invitations, newest first: `GET /v1/teams/{id}/invites`.
    func listInvites(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["limit", "cursor"])
        let page = try await services.invites.invites(
            of: call.team.id,
            before: try query.id("cursor", InviteNoun.self),
            limit: try query.limit(),
            scope: call.principal.scope
        )
        let now = services.time.now
        return .json(
            200,
            encodePage(page, cursor: { $0.id.description }, encode: { InviteView.write($0, at: now, to: &$1) })
        )
    }

    /// Ends an open invitation: `DELETE /v1/teams/{id}/invites/{invite}`.
    func revokeInvite(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let invite = try request.pathID("invite", InviteNoun.self, noun: "invite")
        let now = services.time.now
        let verdict = try await services.invites.revoke(
            invite,
            of: call.team.id,
            now: now,
            scope: call.principal.scope,
            audit: request.auditDraft(call, "invite.revoked", target: invite.description, at: now)
        )
        try demandDone(verdict, call, target: invite.description)
        return .noContent
    }
}
