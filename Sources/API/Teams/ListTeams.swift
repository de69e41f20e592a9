import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The signed-in person's teams: `GET /v1/teams`.
    func listTeams(_ request: HTTPRequest, _ principal: Principal) async throws -> HTTPResponse {
        _ = try QueryReader(request, allowed: [])
        let memberships = try await services.teams.memberships(of: principal.user)
        let page = Page(items: memberships, hasMore: false)
        return .json(200, encodePage(page, cursor: { $0.team.id.description }, encode: TeamView.write))
    }

    /// Founds a team with the signed-in person as owner: `POST /v1/teams`.
    func createTeam(_ request: HTTPRequest, _ principal: Principal) async throws -> HTTPResponse {
        let name = try await request.jsonObject { $0.name("name", maximum: 100) }
        let now = services.time.now
        let team = Team(id: TeamID(at: now), name: name ?? "", createdAt: now)
        try await services.teams.createTeam(team, owner: principal.user)
        return .json(201, document { TeamView.write(Membership(team: team, role: .owner), to: &$0) })
    }

    /// The members of a team: `GET /v1/teams/{id}/members`.
    func listMembers(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let members = try await services.teams.members(of: call.team.id, scope: call.principal.scope)
        let page = Page(items: members.map { Member(user: $0.user, role: $0.role) }, hasMore: false)
        return .json(
            200,
            encodePage(
                page,
                cursor: { $0.user.id.description },
                encode: { TeamView.write($0.user, role: $0.role, to: &$1) }
            )
        )
    }

    private struct Member: Sendable {
        let user: User
        let role: Role
    }
}
