import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The page that an invitation's link leads to: `GET /invite`.
    ///
    /// One that cannot be taken up, for whatever reason, is answered like one that never was.
    func showInvite(_ request: HTTPRequest) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["token"])
        let token = query.value("token").flatMap { InviteToken.parse($0) }
        guard let visitor = try await visitor(request) else {
            let place = token.map { PagePath.invite.adding("token", $0.token) } ?? .invite
            return WebPage.redirect(.signIn.adding("return_to", place.text))
        }
        guard let token, let invite = try await services.invites.invite(tokenHash: token.hash),
            invite.state(at: services.time.now) == .open, invite.email == nil || invite.email == visitor.user.email,
            let team = try await services.teams.team(invite.teamID, scope: .system)
        else { throw ProblemError(.inviteUnusable) }
        let key = PageFormKey(for: request)
        return page(
            "Join this team?",
            key,
            [
                .facts([
                    ("Team", .foreign(team.value.name)), ("Your role there", .text(invite.role.rawValue)),
                    ("As", .foreign(visitor.user.email)),
                ]),
                key.form(.invite, [.hidden("token", token.token), .submit("Join")]),
            ]
        )
    }

    /// Takes an invitation up: `POST /invite`.
    func acceptByPage(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await pageForm(request, ["token"])
        guard let visitor = try await visitor(request) else { return WebPage.redirect(.signIn) }
        let joined: Membership
        do {
            joined = try await join(by: form["token"] ?? "", visitor.person, request)
        } catch let error as ProblemError where error.problem.status == 404 {
            throw ProblemError(.inviteUnusable)
        }
        giveBackTry(request)
        let facts = [("Team", HTML.foreign(joined.team.name)), ("Your role there", .text(joined.role.rawValue))]
        return WebPage(title: "You are in the team", content: [.facts(facts)]).response()
    }
}

extension Problem {
    fileprivate static let inviteUnusable = Problem(
        status: 404,
        code: "invite_not_found",
        title: "This invitation cannot be used",
        detail: "It may be used, withdrawn, older than it may be, or for another account. Ask for a new one."
    )
}
