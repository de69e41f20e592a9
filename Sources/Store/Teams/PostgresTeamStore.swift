import Bytes
import Core

/// Teams and their people in PostgreSQL.
final class PostgresTeamStore: TeamStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func createTeam(_ team: Team, owner: UserID, most: Int?, audit: AuditDraft) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [
            .id(team.id), .text(team.name), .time(team.createdAt), .id(owner), .integer(most),
        ]
        let group = PostgresGroup(
            .system,
            [
                TeamStatements.lockOwner([.id(owner)]), TeamStatements.found(values + AuditStatements.values([audit])),
            ]
        )
        return try await !pool.run(group).at(1).rows { _ throws(StoreError) in }.isEmpty
    }

    func memberships(of user: UserID) async throws(StoreError) -> [Membership] {
        // In the person's own scope: a disabled account has no teams.
        let result = try await pool.run(.user(user), TeamStatements.selectMemberships([.id(user)]))
        return try result.rows { row throws(StoreError) in Membership(team: try Team(&row), role: try row.word()) }
    }

    func team(_ id: TeamID, scope: Scope) async throws(StoreError) -> Access<Team>? {
        try await pool.run(scope, TeamStatements.select([.id(id)])).first { row throws(StoreError) in
            let team = try Team(&row)
            return Access(value: team, role: try row.word(), isClosing: team.deletedAt != nil)
        }
    }

    func teams(after: TeamID?, limit: Int, scope: Scope) async throws(StoreError) -> Page<Team> {
        let values: [PostgresValue] = [.id(after ?? .lowest), .integer(limit + 1)]
        let found = try await pool.run(scope, TeamStatements.list(values)).rows { row throws(StoreError) in
            try Team(&row)
        }
        return Page(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    func members(of team: TeamID, after: UserID?, limit: Int, scope: Scope) async throws(StoreError) -> Page<Member> {
        let values: [PostgresValue] = [.id(team), .id(after ?? .lowest), .integer(limit + 1)]
        let found = try await pool.run(scope, TeamStatements.listMembers(values)).rows { row throws(StoreError) in
            try Member(&row)
        }
        return Page(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    func member(_ user: UserID, of team: TeamID, scope: Scope) async throws(StoreError) -> Member? {
        try await pool.run(scope, TeamStatements.selectMember([.id(team), .id(user)])).first { row throws(StoreError) in
            try Member(&row)
        }
    }

    func members(
        of project: ProjectID,
        after: UserID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<ProjectMember> {
        let values: [PostgresValue] = [.id(project), .id(after ?? .lowest), .integer(limit + 1)]
        let found = try await pool.run(scope, TeamStatements.listProjectMembers(values)).rows {
            row throws(StoreError) in try ProjectMember(&row)
        }
        return Page(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    func member(_ user: UserID, of project: ProjectID, scope: Scope) async throws(StoreError) -> ProjectMember? {
        let values: [PostgresValue] = [.id(project), .id(user)]
        return try await pool.run(scope, TeamStatements.selectProjectMember(values)).first { row throws(StoreError) in
            try ProjectMember(&row)
        }
    }

    func rename(
        _ team: TeamID,
        to name: String,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError)
        -> TeamVerdict
    {
        try await pool.judge(scope, TeamStatements.rename, [.id(team), .text(name)], audit)
    }

    func addMember(
        _ user: UserID,
        to team: TeamID,
        role: Role,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        let values: [PostgresValue] = [.id(team), .id(user), .word(role), .time(now)]
        return try await pool.judge(.system, TeamStatements.addMember, values, audit)
    }

    func setRole(
        of user: UserID,
        in team: TeamID,
        to role: Role,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        try await pool.judge(scope, TeamStatements.setRole, [.id(team), .id(user), .word(role)], audit)
    }

    func removeMember(
        _ user: UserID,
        from team: TeamID,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        try await pool.judge(scope, TeamStatements.removeMember, [.id(team), .id(user)], audit)
    }

    func transfer(
        _ team: TeamID,
        to heir: UserID,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        try await pool.judge(scope, TeamStatements.transfer, [.id(team), .id(heir)], audit)
    }

    func setRole(
        of user: UserID,
        in project: ProjectID,
        to role: Role?,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        try await pool.judge(scope, TeamStatements.setProjectRole, [.id(project), .id(user), .word(role)], audit)
    }

    func delete(
        _ team: TeamID,
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError)
        -> TeamVerdict
    {
        try await pool.judge(scope, TeamStatements.delete, [.id(team), .time(now)], audit)
    }

    func restore(
        _ team: TeamID,
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError)
        -> TeamVerdict
    {
        let grace = TeamLimits.deletionGrace.wholeMilliseconds
        return try await pool.judge(scope, TeamStatements.restore, [.id(team), .time(now), .bigint(grace)], audit)
    }
}

extension PostgresPool {
    /// Runs an act that answers with a verdict; the draft is recorded with it when it was done.
    func judge(
        _ scope: Scope,
        _ statement: PostgresStatement,
        _ values: [PostgresValue],
        _ audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        let call = statement(values + AuditStatements.values([audit]))
        let verdict = try await run(scope, call).first { row throws(StoreError) in try row.word(TeamVerdict.self) }
        guard let verdict else { throw .failed(stage: "\(statement.name): no verdict", sqlState: "08P01") }
        return verdict
    }
}

extension Team {
    /// The columns that `init(_:)` reads.
    static let columns = "t.id, t.name, t.created_at, t.deleted_at, t.require_second_factor"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            name: try row.value(),
            createdAt: try row.value(),
            deletedAt: try row.optional(),
            requiresSecondFactor: try row.value()
        )
    }
}

extension Member {
    /// The columns that `init(_:)` reads.
    static let columns = "\(User.columns), m.role, m.created_at"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(user: try User(&row), role: try row.word(), joinedAt: try row.value())
    }
}

extension ProjectMember {
    /// The columns that `init(_:)` reads.
    static let columns = "\(User.columns), m.role, r.role"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(user: try User(&row), teamRole: try row.word(), ownRole: try row.optionalWord())
    }
}
