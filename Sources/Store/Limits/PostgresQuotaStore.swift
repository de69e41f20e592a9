import Bytes
import Core

/// Quotas in PostgreSQL: triggers count what teams have, and refuse what they may not have.
final class PostgresQuotaStore: QuotaStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func quotas(of team: TeamID, scope: Scope, now: Timestamp) async throws(StoreError) -> [Quota] {
        let found = try await pool.run(scope, Self.select([.id(team), .time(now)])).rows { row throws(StoreError) in
            Quota(
                name: try row.word(),
                used: try row.value(),
                limit: try row.optional(),
                isOwn: try row.value()
            )
        }
        return QuotaName.allCases.compactMap { name in found.first { $0.name == name } }
    }

    func setQuota(
        _ name: QuotaName,
        _ setting: QuotaSetting,
        of team: TeamID,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        let key: [PostgresValue] = [.id(team), .text(name.rawValue)]
        let value: PostgresValue
        switch setting {
        case .standard:
            return try await pool.run(.system, Self.reset(key + AuditStatements.values([audit]))).count > 0
        case .unlimited: value = .null
        case .limit(let limit): value = .bigint(limit)
        }
        let values = key + [value, .time(now)] + AuditStatements.values([audit])
        return try await pool.run(.system, Self.set(values)).count > 0
    }

    func setDefaults(_ defaults: [QuotaName: Int64]) async throws(StoreError) {
        let names = QuotaName.allCases
        let values: [PostgresValue] = [
            .array(.text, names.map { .text($0.rawValue) }),
            .array(.bigint, names.map { name in defaults[name].map { .bigint($0) } ?? .null }),
        ]
        _ = try await pool.run(.system, Self.setDefaults(values))
    }

    func holdWorkspace(
        _ project: ProjectID,
        bytes: Int64?,
        scope: Scope,
        now: Timestamp
    ) async throws(StoreError) -> WorkspaceHold? {
        let values: [PostgresValue] = [
            .id(project), bytes.map { .bigint($0) } ?? .null, .bigint(WorkspaceHold.largestArchive), .time(now),
            .time(now.adding(WorkspaceHold.lifetime)),
        ]
        let answer = try await pool.run(scope, Self.hold(values)).first { row throws(StoreError) in
            (
                verdict: try row.value(String.self), number: try row.optional(Int64.self),
                most: try row.optional(Int64.self)
            )
        }
        switch (answer?.verdict, answer?.number, answer?.most) {
        case ("reserved", let number?, let most?): return WorkspaceHold(project: project, number: number, most: most)
        case ("full", _, _): throw .quotaExceeded(.storedBytes)
        default: return nil
        }
    }

    func renewWorkspace(_ hold: WorkspaceHold, scope: Scope, now: Timestamp) async throws(StoreError) {
        let end: PostgresValue = .time(now.adding(WorkspaceHold.lifetime))
        _ = try await pool.run(scope, Self.renew([.bigint(hold.number), end]))
    }

    func settleWorkspace(_ hold: WorkspaceHold, bytes: Int64?, scope: Scope) async throws(StoreError) {
        let size: PostgresValue = bytes.map { .bigint($0) } ?? .null
        _ = try await pool.run(scope, Self.release([.id(hold.project), .bigint(hold.number), size]))
    }

    func prune(now: Timestamp, limit: Int) async throws(StoreError) -> Int {
        let removed = try await pool.run(.system, Self.prune([.time(now), .integer(limit)]))
            .first { row throws(StoreError) in try row.value(Int.self) }
        return removed ?? 0
    }

    func fold(now: Timestamp, limit: Int) async throws(StoreError) {
        _ = try await pool.run(.system, Self.fold([.time(now), .integer(limit)]))
    }
}

extension PostgresQuotaStore {
    private static let select = PostgresStatement(
        "quotas.get",
        """
        select d.name,
            case d.name
                when 'queued_jobs' then u.queued_jobs
                when 'running_jobs' then u.running_jobs
                when 'stored_bytes' then u.stored_bytes
                when 'projects' then u.projects
                when 'members' then u.members
                else coalesce(s.micro_usd, 0)
            end,
            errand_limit(t.id, d.name), q.team_id is not null
        from teams t
        cross join lateral errand_usage(t.id) u
        cross join quota_defaults d
        left join team_quotas q on q.team_id = t.id and q.name = d.name
        left join team_spend s on s.team_id = t.id and s.day = ($2::timestamptz at time zone 'utc')::date
        where t.id = $1::uuid
        """
    )
    private static let set = AuditStatements.audited(
        "quotas.set",
        parameters: 4,
        """
        insert into team_quotas as q (team_id, name, value, changed_at)
        select t.id, $2::text, $3::bigint, $4::timestamptz from teams t where t.id = $1::uuid
        on conflict (team_id, name) do update set value = excluded.value, changed_at = excluded.changed_at
        returning q.name
        """
    )
    /// Answers with the team, whether it had a setting of its own or not.
    private static let reset = AuditStatements.audited(
        "quotas.reset",
        parameters: 2,
        """
        select errand_reset_quota($1::uuid, $2::text) as team where exists (select from teams t where t.id = $1::uuid)
        """
    )
    private static let setDefaults = PostgresStatement(
        "quotas.set_defaults",
        """
        update quota_defaults d set value = v.value
        from unnest($1::text[], $2::bigint[]) as v (name, value)
        where d.name = v.name and d.value is distinct from v.value
        """
    )
    private static let hold = PostgresStatement(
        "quotas.hold_workspace",
        """
        select h.verdict, h.reservation, h.most
        from errand_hold_workspace($1::uuid, $2::bigint, $3::bigint, $4::timestamptz, $5::timestamptz) h
        """
    )
    private static let renew = PostgresStatement(
        "quotas.renew_workspace",
        "select errand_renew_workspace($1::bigint, $2::timestamptz)"
    )
    private static let release = PostgresStatement(
        "quotas.release_workspace",
        "select errand_release_workspace($1::uuid, $2::bigint, $3::bigint)"
    )
    private static let prune = PostgresStatement(
        "quotas.prune",
        "select errand_prune_reservations($1::timestamptz, $2::integer)"
    )
    private static let fold = PostgresStatement("quotas.fold", "select errand_fold_usage($1::timestamptz, $2::integer)")
}
