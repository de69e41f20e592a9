import Core

/// One call of `submit`.
struct SubmitRequest {
    let jobs: [NewJob]
    let scope: Scope

    func weight(perRow: Int) -> Int {
        jobs.reduce(0) { $0 + max(perRow, $1.job.work.roughSize) }
    }
}

/// The calls of `submit` that share a transaction.
///
/// The statement runs in the system's scope and asks for each job whether its own scope may submit to the project, by the
/// roles that row-level security goes by: batches of many people stay one statement.
struct SubmitBatch {
    private let requests: [SubmitRequest]

    init(_ requests: [SubmitRequest]) {
        self.requests = requests
    }

    /// Inserts the jobs; answers per request.
    func run(_ pool: PostgresPool) async -> Result<[[Submission]], StoreError> {
        do throws(StoreError) {
            return .success(try await insert(pool))
        } catch {
            return .failure(error)
        }
    }

    private func insert(_ pool: PostgresPool) async throws(StoreError) -> [[Submission]] {
        let rows = requests.flatMap { request in request.jobs.map { (new: $0, scope: request.scope) } }
        let keyed = rows.compactMap { row in
            row.new.idempotencyKey.map { UserKey(user: row.new.job.submittedBy.bareID, key: $0) }
        }
        // Two statements: the second sees what those have submitted who were let through before us.
        let begin = Self.begin([.ids(rows.map(\.new.job.teamID)), .bigint(Self.margin)])
        var group = PostgresGroup(.system, [begin, Self.insert(Self.columns(rows))])
        if !keyed.isEmpty {
            // A statement of its own: it sees the keys that another transaction committed while ours waited for it.
            let values: [PostgresValue] = [.ids(keyed.map(\.user)), .array(.text, keyed.map { .text($0.key) })]
            group.calls.append(Self.selectKeyed(values))
        }
        let answers = try await pool.run(group)
        let verdicts = try answers.at(1).rows { row throws(StoreError) in
            (id: try row.value(JobID.self), refusal: try row.optionalWord(QuotaName.self))
        }
        let fates = Dictionary(verdicts.map { ($0.id, $0.refusal) }) { first, _ in first }
        var known: [UserKey: (hash: [UInt8], job: Job)] = [:]
        if !keyed.isEmpty {
            let found = try answers.at(2).rows { row throws(StoreError) in
                (
                    key: UserKey(user: try row.value(), key: try row.value()), hash: try row.value([UInt8].self),
                    job: try Job(&row)
                )
            }
            for entry in found { known[entry.key] = (entry.hash, entry.job) }
        }
        return requests.map { request in
            request.jobs.map { new in
                if let fate = fates[new.job.id] { return fate.map { .quotaExceeded($0) } ?? .created(new.job) }
                guard let key = new.idempotencyKey,
                    let before = known[UserKey(user: new.job.submittedBy.bareID, key: key)]
                else { return .projectGone }
                return before.hash == new.requestHash ? .repeated(before.job) : .keyReused
            }
        }
    }

    private static func columns(_ rows: [(new: NewJob, scope: Scope)]) -> [PostgresValue] {
        func texts(_ value: (NewJob) -> String?) -> PostgresValue { .array(.text, rows.map { .text(value($0.new)) }) }
        let columns: [PostgresValue] = [
            .ids(rows.map(\.new.job.id)), .ids(rows.map(\.new.job.teamID)), .ids(rows.map(\.new.job.projectID)),
            .ids(rows.map(\.new.job.submittedBy.bareID)), texts { $0.job.work.kind.rawValue },
            texts { $0.job.state.rawValue },
            .array(.smallint, rows.map { .smallint(Int16(clamping: $0.new.job.priority)) }),
            texts { $0.job.workspace.rawValue }, texts { $0.job.policy.rawValue },
            .array(.text, rows.map { .bytes($0.new.job.work.storedJSON) }),
            .array(.integer, rows.map { .integer($0.new.job.maxAttempts) }),
            .array(.integer, rows.map { .integer($0.new.job.timeoutSeconds) }),
            .array(.time, rows.map { .time($0.new.job.runAt) }),
            .array(.time, rows.map { .time($0.new.job.createdAt) }), texts(\.idempotencyKey),
            .array(.bytes, rows.map { .bytes($0.new.requestHash) }),
            .array(.text, rows.map { .text($0.scope.setting) }),
        ]
        return columns + AuditStatements.keyed(rows.map { (key: $0.new.job.id, draft: $0.new.audit) })
    }
}

private struct UserKey: Hashable {
    let user: UserID
    let key: String
}

extension JobWork {
    /// About how long the stored text is.
    fileprivate var roughSize: Int {
        switch self {
        case .claude(let spec): spec.prompt.utf8.count
        case .command(let spec):
            spec.argv.reduce(0) { $0 + $1.utf8.count } + (spec.standardInput?.utf8.count ?? 0)
                + spec.environment.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        }
    }
}

extension SubmitBatch {
    /// More jobs than all servers together have on their way to one team at the same moment.
    private static let margin: Int64 = 8_192

    private static let begin = PostgresStatement(
        "jobs.submit_begin",
        "select errand_submit_begin($1::uuid[], $2::bigint)"
    )
    /// Keys are inserted in order, so that two batches with the same keys cannot wait for each other.
    private static let insert = PostgresStatement(
        "jobs.submit",
        """
        with request as (
            select r.*
            from unnest(
                $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::smallint[], $8::text[],
                $9::text[], $10::text[], $11::integer[], $12::integer[], $13::timestamptz[], $14::timestamptz[],
                $15::text[], $16::bytea[], $17::text[]
            ) with ordinality as r (
                id, team_id, project_id, submitted_by, kind, state, priority, workspace, policy, spec, max_attempts,
                timeout_seconds, run_at, created_at, key, request_hash, scope, nth
            )
        ),
        room as materialized (
            select t.team_id, m.places, m.is_full, m.is_spent
            from (select r.team_id, max(r.created_at) as moment from request r group by r.team_id) t
            cross join lateral errand_submit_room(t.team_id, t.moment) m
        ),
        -- Each person's right in each project is looked up once, and holds until this is committed.
        granted as materialized (
            select d.scope, d.team_id, d.project_id
            from (select distinct r.scope, r.team_id, r.project_id from request r) d
            cross join lateral (
                select p.team_id from projects p
                where p.id = d.project_id and p.deleted_at is null and p.frozen_at is null
                limit 1
                for key share
            ) p
            where p.team_id = d.team_id and errand_may_submit(d.scope, d.team_id, d.project_id)
        ),
        allowed as (
            select r.*
            from request r
            join granted g
                on g.project_id = r.project_id and g.team_id = r.team_id and g.scope = r.scope
        ),
        -- A repeat takes no place: it gets the job that its key has.
        judged as (
            select a.*,
                case
                    when m.is_full then 'stored_bytes'
                    when m.is_spent and a.kind = 'claude' then 'spend_per_day'
                    when count(*) filter (where not (m.is_full or m.is_spent and a.kind = 'claude'))
                        over (partition by a.team_id order by a.nth) > m.places then 'queued_jobs'
                end as refusal
            from allowed a join room m on m.team_id = a.team_id
            where a.key is null or not exists (
                select from idempotency_keys i where i.user_id = a.submitted_by and i.key = a.key
            )
        ),
        keyed as (
            insert into idempotency_keys (user_id, key, request_hash, job_id, created_at)
            select a.submitted_by, a.key, a.request_hash, a.id, a.created_at
            from judged a where a.key is not null and a.refusal is null
            order by a.submitted_by, a.key
            on conflict (user_id, key) do nothing
            returning job_id
        ),
        born as (
            insert into jobs (
                id, team_id, project_id, submitted_by, kind, state, priority, workspace, policy, spec, max_attempts,
                timeout_seconds, run_at, dispatched_at, created_at, submitted_by_service
            )
            select a.id, a.team_id, a.project_id, a.submitted_by, a.kind, a.state, a.priority, a.workspace, a.policy,
                a.spec::json, a.max_attempts, a.timeout_seconds, a.run_at, a.created_at, a.created_at,
                case
                    when a.scope like 'key:%' then exists (select from service_accounts s where s.id = a.submitted_by)
                    else false
                end
            from judged a
            where a.refusal is null and (a.key is null or a.id in (select k.job_id from keyed k))
            returning id
        ),
        recorded as materialized (
            select errand_audit_append_changed(
                array(select b.id from born b), $18::uuid[], \(AuditStatements.arguments(after: 18))
            )
        )
        select b.id, null from born b where (select count(*) from recorded) >= 0
        union all
        select j.id, j.refusal from judged j where j.refusal is not null
        """
    )
    private static let selectKeyed = PostgresStatement(
        "jobs.submitted_before",
        """
        select k.user_id, k.key, k.request_hash, \(Job.columns)
        from unnest($1::uuid[], $2::text[]) as r (user_id, key)
        cross join lateral (
            select * from idempotency_keys i where i.user_id = r.user_id and i.key = r.key limit 1
        ) k
        cross join lateral (select * from jobs b where b.id = k.job_id limit 1) j
        """
    )
}
