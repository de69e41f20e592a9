import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The people of a project's team with the roles they have in the project: `GET /v1/projects/{id}/members`.
    func listProjectMembers(_ request: HTTPRequest, _ call: ProjectCall) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["limit", "cursor"])
        let page = try await services.teams.members(
            of: call.project.id,
            after: try query.id("cursor", UserNoun.self),
            limit: try query.limit(),
            scope: call.principal.scope
        )
        return .json(200, encodePage(page, cursor: { $0.user.id.description }, encode: TeamView.write))
    }

    /// Gives a member another role in one project: `PUT /v1/projects/{id}/members/{user}`.
    func putProjectMember(_ request: HTTPRequest, _ call: ProjectCall) async throws -> HTTPResponse {
        let user = try request.pathID("user", UserNoun.self, noun: "member")
        let wanted = try await request.jsonObject { $0.choice("role", ProjectRole.self, required: true) }
        guard let wanted else { throw ProblemError(.missing("member")) }
        try await setRole(of: user, to: wanted.role, request, call)
        guard let member = try await services.teams.member(user, of: call.project.id, scope: call.principal.scope)
        else { throw ProblemError(.missing("member")) }
        return .json(200, document { TeamView.write(member, to: &$0) })
    }

    /// Gives a member the team's role in a project again: `DELETE /v1/projects/{id}/members/{user}`.
    func deleteProjectMember(_ request: HTTPRequest, _ call: ProjectCall) async throws -> HTTPResponse {
        let user = try request.pathID("user", UserNoun.self, noun: "member")
        try await setRole(of: user, to: nil, request, call)
        return .noContent
    }

    private func setRole(
        of user: UserID,
        to role: Role?,
        _ request: HTTPRequest,
        _ call: ProjectCall
    ) async throws {
        let audit = request.auditDraft(
            call.principal,
            "member.role_changed",
            team: call.project.teamID,
            target: user.description,
            at: services.time.now,
            details: [
                AuditDetail("project", call.project.id.description),
                AuditDetail("role", role?.rawValue ?? "the team's"),
            ]
        )
        let verdict = try await services.teams.setRole(
            of: user,
            in: call.project.id,
            to: role,
            scope: call.principal.scope,
            audit: audit
        )
        if verdict == .unknown { throw ProblemError(.missing("project")) }
        guard let problem = verdict.problem else { return }
        guard verdict == .forbidden else { throw ProblemError(problem) }
        throw Refusal(
            problem,
            call.principal,
            .memberManage,
            team: call.project.teamID,
            target: user.description
        )
    }
}

/// The roles that a project may give: an owner is one everywhere.
private enum ProjectRole: String, CaseIterable {
    case viewer, member, admin

    var role: Role {
        switch self {
        case .viewer: .viewer
        case .member: .member
        case .admin: .admin
        }
    }
}
