import Bytes
import Core

/// The end of teams in PostgreSQL.
final class PostgresTeamEndingStore: TeamEndingStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func endJobs(now: Timestamp, limit: Int) async throws(StoreError) -> [EndedJob] {
        let call = TeamEndingStatements.endJobs([.time(now), .integer(limit)])
        return try await pool.run(.system, call).rows { row throws(StoreError) in
            EndedJob(job: try row.value(), worker: try row.optional())
        }
    }

    func endedTeams(now: Timestamp, limit: Int) async throws(StoreError) -> [TeamID] {
        let values: [PostgresValue] = [.time(now), Self.grace, .integer(limit)]
        return try await pool.run(.system, TeamEndingStatements.ended(values)).rows { row throws(StoreError) in
            try row.value()
        }
    }

    func purge(_ team: TeamID, now: Timestamp, limit: Int, audit: AuditDraft) async throws(StoreError) -> TeamPurge {
        let values: [PostgresValue] = [.id(team), .time(now), Self.grace, .integer(limit)]
        let call = TeamEndingStatements.purge(values + AuditStatements.values([audit]))
        return try await pool.run(.system, call).first { row throws(StoreError) in try row.word() } ?? .unknown
    }

    func expireInvites(now: Timestamp, limit: Int) async throws(StoreError) {
        _ = try await pool.run(.system, TeamEndingStatements.expireInvites([.time(now), .integer(limit)]))
    }

    func removals(of worker: WorkerID, limit: Int) async throws(StoreError) -> [ProjectID] {
        let call = TeamEndingStatements.removals([.id(worker), .integer(limit)])
        return try await pool.run(.system, call).rows { row throws(StoreError) in try row.value() }
    }

    func removed(_ projects: [ProjectID], by worker: WorkerID) async throws(StoreError) {
        guard !projects.isEmpty else { return }
        _ = try await pool.run(.system, TeamEndingStatements.removed([.id(worker), .ids(projects)]))
    }

    private static var grace: PostgresValue { .bigint(TeamLimits.deletionGrace.wholeMilliseconds) }
}

/// The statements at the end of teams.
private enum TeamEndingStatements {
    static let endJobs = PostgresStatement(
        "jobs.end_closing",
        "select e.job, e.worker from errand_cancel_closing($1::timestamptz, $2::integer) e"
    )
    static let ended = PostgresStatement(
        "teams.ended",
        """
        select e.team from errand_ended_teams(
            $1::timestamptz, $2::bigint * interval '1 millisecond', $3::integer
        ) as e (team)
        """
    )
    static let purge = TeamStatements.act(
        "teams.purge",
        4,
        "errand_purge_team($1::uuid, $2::timestamptz, $3::bigint * interval '1 millisecond', $4::integer)"
    )
    static let expireInvites = PostgresStatement(
        "invites.expire",
        "select errand_expire_invites($1::timestamptz, $2::integer)"
    )
    static let removals = PostgresStatement(
        "workspace_removals.of_worker",
        """
        select r.project_id from workspace_removals r
        where r.worker_id = $1::uuid order by r.project_id limit $2::integer
        """
    )
    static let removed = PostgresStatement(
        "workspace_removals.delete",
        "delete from workspace_removals r where r.worker_id = $1::uuid and r.project_id = any ($2::uuid[])"
    )
}
