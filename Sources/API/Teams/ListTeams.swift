import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The teams of the person, or the one of the key: `GET /v1/teams`.
    func listTeams(_ request: HTTPRequest, _ principal: Principal) async throws -> HTTPResponse {
        _ = try QueryReader(request, allowed: [])
        let memberships: [Membership]
        switch principal {
        case .person(let person): memberships = try await services.teams.memberships(of: person.user)
        case .key(let key):
            let found = try await services.teams.team(key.team, scope: key.scope)
            memberships = found.map { [Membership(team: $0.value, role: $0.role)] } ?? []
        }
        let page = Page(items: memberships, hasMore: false)
        return .json(200, encodePage(page, cursor: { $0.team.id.description }, encode: TeamView.write))
    }

    /// Founds a team with the signed-in person as owner: `POST /v1/teams`.
    func createTeam(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let name = try await request.jsonObject { $0.name("name", maximum: TeamLimits.nameBytes) }
        let now = services.time.now
        let team = Team(id: TeamID(at: now), name: name ?? "", createdAt: now)
        let audit = request.auditDraft(
            .person(person),
            "team.created",
            team: team.id,
            target: team.id.description,
            at: now,
            details: [AuditDetail("name", team.name)]
        )
        let isMade = try await services.teams.createTeam(
            team,
            owner: person.user,
            most: services.settings.teamsPerPerson,
            audit: audit
        )
        guard isMade else { throw ProblemError(.teamLimitReached) }
        var response = HTTPResponse.json(
            201,
            document { TeamView.write(Membership(team: team, role: .owner), to: &$0) }
        )
        response.headers.append(name: "location", value: "/v1/teams/\(team.id)")
        return response
    }
}
