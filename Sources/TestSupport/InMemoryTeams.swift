import Bytes
package import Core

/// Teams, their people and invitations in memory, under the same rules as the real ones.
package final class InMemoryTeams: TeamStore, InviteStore {
    /// What was recorded with the acts that were done.
    package private(set) var acts: [AuditDraft] = []
    var users: [UserID: User] = [:]
    var teams: [TeamID: Team] = [:]
    var people: [TeamID: [UserID: (role: Role, joinedAt: Timestamp)]] = [:]
    var projects: [ProjectID: TeamID] = [:]
    var ownRoles: [ProjectID: [UserID: Role]] = [:]
    var invitations: [[UInt8]: Invite] = [:]
    /// Those that were sent to their address.
    var mailed: [Invite] = []

    /// No team and nobody.
    package init() {}

    /// Adds an account, or changes it.
    package func add(_ user: User) { users[user.id] = user }

    /// Adds a project of a team.
    package func add(_ project: ProjectID, of team: TeamID) { projects[project] = team }

    /// The role that a scope has in a team; nil where it does not reach.
    func role(_ scope: Scope, in team: TeamID) -> Role? {
        guard teams[team] != nil else { return nil }
        switch scope {
        case .system: return .owner
        case .team(let id): return id == team ? .viewer : nil
        case .user(let id): return users[id]?.isDisabled == false ? people[team]?[id]?.role : nil
        // Keys are kept elsewhere: there is none that this memory knows.
        case .key: return nil
        }
    }

    func isClosing(_ team: TeamID) -> Bool { teams[team]?.deletedAt != nil }

    /// Whether nobody else could act as the team's owner.
    func isLastOwner(_ user: UserID, of team: TeamID) -> Bool {
        !people[team, default: [:]].contains {
            $0.key != user && $0.value.role == .owner && users[$0.key]?.isDisabled == false
        }
    }

    func done(_ audit: AuditDraft) -> TeamVerdict {
        acts.append(audit)
        return .done
    }

    /// The first `limit` of what comes behind a place, in order.
    static func page<Value: Sendable>(_ values: [Value], _ limit: Int) -> Page<Value> {
        Page(items: Array(values.prefix(limit)), hasMore: values.count > limit)
    }
}

// MARK: - Looking

extension InMemoryTeams {
    package func createTeam(
        _ team: Team,
        owner: UserID,
        most: Int?,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        guard teams[team.id] == nil else { throw .conflict(field: "id") }
        guard users[owner] != nil else { throw .notFound }
        let owned = people.values.count { $0[owner]?.role == .owner }
        guard owned < most ?? .max else { return false }
        teams[team.id] = team
        people[team.id] = [owner: (.owner, team.createdAt)]
        acts.append(audit)
        return true
    }

    package func memberships(of user: UserID) async throws(StoreError) -> [Membership] {
        teams.values.compactMap { team in
            role(.user(user), in: team.id).map { Membership(team: team, role: $0) }
        }
        .sorted { ($0.team.createdAt, $0.team.id) < ($1.team.createdAt, $1.team.id) }
    }

    package func team(_ id: TeamID, scope: Scope) async throws(StoreError) -> Access<Team>? {
        guard let team = teams[id], let role = role(scope, in: id) else { return nil }
        return Access(value: team, role: role, isClosing: team.deletedAt != nil)
    }

    package func teams(after: TeamID?, limit: Int, scope: Scope) async throws(StoreError) -> Page<Team> {
        let found = teams.values.filter { team in
            role(scope, in: team.id) != nil && after.map { team.id > $0 } ?? true
        }
        return Self.page(found.sorted { $0.id < $1.id }, limit)
    }

    package func members(
        of team: TeamID,
        after: UserID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<Member> {
        Self.page(members(of: team, after, scope), limit)
    }

    package func member(_ user: UserID, of team: TeamID, scope: Scope) async throws(StoreError) -> Member? {
        members(of: team, nil, scope).first { $0.user.id == user }
    }

    private func members(of team: TeamID, _ after: UserID?, _ scope: Scope) -> [Member] {
        guard role(scope, in: team) != nil else { return [] }
        return people[team, default: [:]].compactMap { id, place in
            guard let user = users[id], after.map({ id > $0 }) ?? true else { return nil }
            return Member(user: user, role: place.role, joinedAt: place.joinedAt)
        }
        .sorted { $0.user.id < $1.user.id }
    }

    package func members(
        of project: ProjectID,
        after: UserID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<ProjectMember> {
        Self.page(members(of: project, after, scope), limit)
    }

    package func member(_ user: UserID, of project: ProjectID, scope: Scope) async throws(StoreError) -> ProjectMember?
    {
        members(of: project, nil, scope).first { $0.user.id == user }
    }

    private func members(of project: ProjectID, _ after: UserID?, _ scope: Scope) -> [ProjectMember] {
        guard let team = projects[project] else { return [] }
        return members(of: team, after, scope).map {
            ProjectMember(user: $0.user, teamRole: $0.role, ownRole: ownRoles[project]?[$0.user.id])
        }
    }
}
