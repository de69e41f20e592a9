import Bytes
import Core

/// Projects in PostgreSQL.
final class PostgresProjectStore: ProjectStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func createProject(_ project: Project, scope: Scope, audit: AuditDraft) async throws(StoreError) {
        let values: [PostgresValue] = [
            .id(project.id), .id(project.teamID), .text(project.name), .text(project.policy.rawValue),
            .id(project.homeWorker), .time(project.createdAt), .time(project.updatedAt),
        ]
        do throws(StoreError) {
            _ = try await pool.run(
                PostgresGroup(scope, [ProjectStatements.insert(values), AuditStatements.append([audit])])
            )
        } catch .failed(_, sqlState: "42501") {
            // The policy of the table: this team is not in the scope.
            throw .notFound
        }
    }

    func project(_ id: ProjectID, scope: Scope) async throws(StoreError) -> Access<Project>? {
        try await pool.run(scope, ProjectStatements.select([.id(id)])).first { row throws(StoreError) in
            Access(value: try Project(&row), role: try row.word(), isClosing: try row.value())
        }
    }

    func projects(
        team: TeamID?,
        before: ProjectID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<Project> {
        let values: [PostgresValue] = [.id(team), .id(before ?? .highest), .integer(limit + 1)]
        let found = try await pool.run(scope, ProjectStatements.list(values)).rows { row throws(StoreError) in
            try Project(&row)
        }
        return Page(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    func updateProject(
        _ id: ProjectID,
        name: String?,
        policy: AgentPolicy?,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Project? {
        let values: [PostgresValue] = [.id(id), .text(name), .word(policy)] + AuditStatements.values([audit])
        return try await pool.run(scope, ProjectStatements.update(values)).first { row throws(StoreError) in
            try Project(&row)
        }
    }

    func setHome(_ id: ProjectID, _ worker: WorkerID, scope: Scope) async throws(StoreError) -> WorkerID? {
        // The second statement sees a home that another call gave in the meantime.
        let group = PostgresGroup(
            scope,
            [ProjectStatements.setHome([.id(id), .id(worker)]), ProjectStatements.selectHome([.id(id)])]
        )
        return try await pool.run(group).at(1).first { row throws(StoreError) in try row.value() }
    }

    func deleteProject(_ id: ProjectID, scope: Scope, audit: AuditDraft) async throws(StoreError) -> Bool {
        let values = [.id(id)] + AuditStatements.values([audit])
        let verdict = try await pool.run(scope, ProjectStatements.delete(values)).first { row throws(StoreError) in
            try row.value(String.self)
        }
        switch verdict {
        case "deleted": return true
        case "jobs": throw .conflict(field: "jobs")
        default: return false
        }
    }
}

extension Project {
    /// The columns that `init(_:)` reads.
    static let columns = "p.id, p.team_id, p.name, p.policy, p.home_worker, p.created_at, p.updated_at"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            teamID: try row.value(),
            name: try row.value(),
            policy: try row.word(),
            homeWorker: try row.optional(),
            createdAt: try row.value(),
            updatedAt: try row.value()
        )
    }
}

/// The statements on projects.
private enum ProjectStatements {
    static let insert = PostgresStatement(
        "projects.insert",
        """
        insert into projects (id, team_id, name, policy, home_worker, created_at, updated_at)
        values ($1::uuid, $2::uuid, $3::text, $4::text, $5::uuid, $6::timestamptz, $7::timestamptz)
        """
    )
    static let select = PostgresStatement(
        "projects.get",
        """
        select \(Project.columns), errand_role(p.team_id, p.id), p.frozen_at is not null
        from projects p where p.id = $1::uuid and p.deleted_at is null
        """
    )
    static let list = PostgresStatement(
        "projects.list",
        """
        select \(Project.columns) from projects p
        where ($1::uuid is null or p.team_id = $1::uuid) and p.id < $2::uuid and p.deleted_at is null
        order by p.id desc limit $3::integer
        """
    )
    static let update = AuditStatements.audited(
        "projects.update",
        parameters: 3,
        """
        update projects p
        set name = coalesce($2::text, p.name), policy = coalesce($3::text, p.policy), updated_at = now()
        where p.id = $1::uuid and p.deleted_at is null
        returning \(Project.columns)
        """
    )
    static let setHome = PostgresStatement(
        "projects.set_home",
        """
        update projects p set home_worker = $2::uuid
        where p.id = $1::uuid and p.home_worker is null and p.deleted_at is null
        """
    )
    static let selectHome = PostgresStatement(
        "projects.home",
        "select p.home_worker from projects p where p.id = $1::uuid and p.deleted_at is null"
    )
    static let delete = AuditStatements.audited(
        "projects.delete",
        parameters: 1,
        when: "act.verdict = 'deleted'",
        "select errand_delete_project($1::uuid) as verdict"
    )
}
