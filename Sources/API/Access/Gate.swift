import Auth
import Core
import HTTP

/// A signed-in person's call that still has to choose its object.
struct PersonCall {
    let principal: Principal
    /// What the person needs wherever the object is.
    let permission: Permission
}

/// A call on a team that its gate has let through.
struct TeamCall {
    let principal: Principal
    /// What the gate asked for.
    let permission: Permission
    let team: Team
    let role: Role
}

/// A call on a project that its gate has let through.
struct ProjectCall {
    let principal: Principal
    let project: Project
    /// The role in this project, which may differ from the one in its team.
    let role: Role
}

/// A call on a job that its gate has let through.
struct JobCall {
    let principal: Principal
    let job: Job
    let role: Role
}

extension Endpoints {
    /// Lets a person through to the team that the path names; another's is not there.
    func enterTeam(_ request: HTTPRequest, _ permission: Permission) async throws -> TeamCall {
        let principal = try await authenticate(request)
        let id = try request.pathID("id", TeamNoun.self, noun: "team")
        guard let found = try await services.teams.team(id, scope: principal.scope) else {
            throw Refusal(.missing("team"), principal, permission, target: id.description)
        }
        try demand(permission, of: principal, found)
        return TeamCall(principal: principal, permission: permission, team: found.value, role: found.role)
    }

    /// Lets a person through to the project that the path names; another team's is not there.
    func enterProject(_ request: HTTPRequest, _ permission: Permission) async throws -> ProjectCall {
        let principal = try await authenticate(request)
        let id = try request.pathID("id", ProjectNoun.self, noun: "project")
        return try await project(id, for: PersonCall(principal: principal, permission: permission))
    }

    /// Lets a person through to the job that the path names; another team's is not there.
    func enterJob(
        _ request: HTTPRequest,
        _ principal: Principal,
        _ permission: Permission
    ) async throws -> JobCall {
        try await enterJob(request.pathID("id", JobNoun.self, noun: "job"), principal, permission)
    }

    /// Lets a person through to a job; another team's is not there.
    func enterJob(_ id: JobID, _ principal: Principal, _ permission: Permission) async throws -> JobCall {
        guard let found = try await services.jobs.job(id, scope: principal.scope) else {
            throw Refusal(.missing("job"), principal, permission, target: id.description)
        }
        try demand(permission, of: principal, found)
        return JobCall(principal: principal, job: found.value, role: found.role)
    }

    /// The project that a body names, once the person may do there what the route needs.
    func project(_ id: ProjectID, for call: PersonCall) async throws -> ProjectCall {
        guard let found = try await services.projects.project(id, scope: call.principal.scope) else {
            throw Refusal(.missing("project"), call.principal, call.permission, target: id.description)
        }
        try demand(call.permission, of: call.principal, found)
        return ProjectCall(principal: call.principal, project: found.value, role: found.role)
    }

    /// The team that a body names, once the person may do there what the route needs; without a name the oldest one.
    func team(_ id: TeamID?, for call: PersonCall) async throws -> TeamCall {
        let memberships = try await services.teams.memberships(of: call.principal.user)
        guard let found = id.map({ id in memberships.first { $0.team.id == id } }) ?? memberships.first else {
            throw Refusal(.missing("team"), call.principal, call.permission, target: id?.description)
        }
        try demand(call.permission, of: call.principal, found.access)
        return TeamCall(principal: call.principal, permission: call.permission, team: found.team, role: found.role)
    }

    /// Refuses a token that carries the permission in no team.
    func demand(_ permission: Permission, of principal: Principal) throws(Refusal) {
        guard principal.allows(permission, role: .owner) else {
            throw Refusal(
                .forbidden("This token does not carry the permission \(permission.rawValue)."),
                principal,
                permission
            )
        }
    }

    /// Lets through the machine itself and administrators.
    func demandMachine(_ request: HTTPRequest) async throws {
        // A request that a proxy on this machine passed on is somebody else's.
        let address = request.remoteAddress
        if address.hasPrefix("127.") || address == "::1", !request.headers.contains("x-forwarded-for") { return }
        let principal = try await authenticate(request)
        guard try await services.accounts.user(principal.user)?.isAdministrator == true else {
            throw Refusal(.forbidden("This is for administrators, and for the machine itself."), principal, nil)
        }
    }

    /// Refuses what the person's role does not carry, and changes in a team that is being deleted.
    private func demand<Value: TeamOwned>(
        _ permission: Permission,
        of principal: Principal,
        _ found: Access<Value>
    ) throws {
        guard principal.allows(permission, role: found.role) else {
            throw Refusal(
                .forbidden("This needs the permission \(permission.rawValue); your role is \(found.role.rawValue)."),
                principal,
                permission,
                team: found.value.owningTeam,
                target: found.value.auditName
            )
        }
        guard !found.isClosing || Permissions.holdsDuringDeletion(permission) else {
            throw ProblemError(.teamDeleting)
        }
    }
}
