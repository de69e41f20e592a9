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
        try await demandFactor(found.value, principal, permission)
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
            let problem = try await absence("job", .job(id), principal)
            throw Refusal(problem, principal, permission, target: id.description)
        }
        try demand(permission, of: principal, found)
        return JobCall(principal: principal, job: found.value, role: found.role)
    }

    /// The project that a body names, once the person may do there what the route needs.
    func project(_ id: ProjectID, for call: PersonCall) async throws -> ProjectCall {
        guard let found = try await services.projects.project(id, scope: call.principal.scope) else {
            let problem = try await absence("project", .project(id), call.principal)
            throw Refusal(problem, call.principal, call.permission, target: id.description)
        }
        try demand(call.permission, of: call.principal, found)
        return ProjectCall(principal: call.principal, project: found.value, role: found.role)
    }

    /// The team that a body names, once the person may do there what the route needs; without a name the oldest one.
    func team(_ id: TeamID?, for call: PersonCall) async throws -> TeamCall {
        let found = try await access(id, call)
        try await demandFactor(found.value, call.principal, call.permission)
        try demand(call.permission, of: call.principal, found)
        return TeamCall(principal: call.principal, permission: call.permission, team: found.value, role: found.role)
    }

    /// A team of the person's; of a key only its own, as long as that is not limited to projects.
    private func access(_ id: TeamID?, _ call: PersonCall) async throws -> Access<Team> {
        let missing = Refusal(.missing("team"), call.principal, call.permission, target: id?.description)
        switch call.principal {
        case .person(let person):
            let memberships = try await services.teams.memberships(of: person.user)
            guard let found = id.map({ id in memberships.first { $0.team.id == id } }) ?? memberships.first else {
                throw missing
            }
            return found.access
        case .key(let key):
            guard id == nil || id == key.team else { throw missing }
            guard key.projects == nil else {
                throw Refusal(.keyLimited, call.principal, call.permission, team: key.team)
            }
            guard let found = try await services.teams.team(key.team, scope: key.scope) else { throw missing }
            return found
        }
    }

    /// Refuses a key whose scopes do not carry the permission, in whatever role.
    func demand(
        _ permission: Permission,
        of principal: Principal,
        team: TeamID? = nil,
        target: String? = nil
    ) throws(Refusal) {
        guard let scopes = principal.scopes, !KeyScopes.carry(permission, scopes) else { return }
        let problem: Problem =
            switch KeyScopes.need(for: permission) {
            case .scope(let scope): .scopeMissing(scope)
            case .person, .nothing: .personRequired
            }
        throw Refusal(problem, principal, permission, team: team, target: target)
    }

    /// Lets through the machine itself and administrators.
    func demandMachine(_ request: HTTPRequest) async throws {
        // A request that a proxy on this machine passed on is somebody else's.
        let address = request.remoteAddress
        if address.hasPrefix("127.") || address == "::1", !request.headers.contains("x-forwarded-for") { return }
        let person = try await authenticatePerson(request)
        guard try await services.accounts.user(person.user)?.isAdministrator == true else {
            throw Refusal(.forbidden("This is for administrators, and for the machine itself."), .person(person), nil)
        }
    }

    /// Refuses what the person's role does not carry, and changes in a team that is being deleted.
    private func demand<Value: TeamOwned>(
        _ permission: Permission,
        of principal: Principal,
        _ found: Access<Value>
    ) throws {
        let (team, target) = (found.value.owningTeam, found.value.auditName)
        try demand(permission, of: principal, team: team, target: target)
        guard principal.allows(permission, role: found.role) else {
            throw Refusal(
                .forbidden("This needs the permission \(permission.rawValue); your role is \(found.role.rawValue)."),
                principal,
                permission,
                team: team,
                target: target
            )
        }
        guard !found.isClosing || Permissions.holdsDuringDeletion(permission) else {
            throw ProblemError(.teamDeleting)
        }
    }
}
