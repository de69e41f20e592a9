import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Creates a project in a team: `POST /v1/projects`.
    func createProject(_ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await authenticate(request)
        let form = try await request.jsonObject { fields in
            (
                name: fields.string("name", maximum: 100),
                team: fields.id("team_id", TeamNoun.self, required: false),
                policy: fields.choice("policy", AgentPolicy.self)
            )
        }
        let membership = try await membership(of: principal, in: form.team)
        try require(.projectWrite, membership.role)
        let now = services.time.now
        let project = Project(
            id: ProjectID(at: now),
            teamID: membership.team.id,
            name: form.name ?? "",
            policy: form.policy ?? .contained,
            homeWorker: nil,
            createdAt: now,
            updatedAt: now
        )
        try await services.projects.createProject(project, scope: principal.scope)
        var response = HTTPResponse.json(201, document { ProjectView.write(project, to: &$0) })
        response.headers.append(name: "location", value: "/v1/projects/\(project.id)")
        return response
    }

    /// The person's role in a team; without a team, in the one they have longest.
    private func membership(of principal: Principal, in team: TeamID?) async throws -> Membership {
        let memberships = try await services.teams.memberships(of: principal.user)
        guard let found = team.map({ id in memberships.first { $0.team.id == id } }) ?? memberships.first else {
            throw ProblemError(.missing("team"))
        }
        return found
    }

    /// Refuses when a role does not carry a permission.
    func require(_ permission: Permission, _ role: Role) throws {
        guard Permissions.allows(role: role, permission) else {
            throw ProblemError(
                .forbidden("This needs the permission \(permission.rawValue); your role is \(role.rawValue).")
            )
        }
    }
}
