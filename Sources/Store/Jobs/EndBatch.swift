import Bytes
import Core

/// One call of `finish`.
struct EndRequest {
    let ends: [AttemptEnd]
    let now: Timestamp
}

/// What became of one reported end.
enum EndJudgement {
    case verdict(EndVerdict)
    /// The durable log ends elsewhere than reported: the end is not written until both agree.
    case logMissing
}

/// The calls of `finish` that share a transaction.
struct EndBatch {
    private let requests: [EndRequest]

    init(_ requests: [EndRequest]) {
        self.requests = requests
    }

    /// Writes the ends; answers per request.
    func run(_ pool: PostgresPool) async -> Result<[[EndJudgement]], StoreError> {
        do throws(StoreError) {
            return .success(try await write(pool))
        } catch {
            return .failure(error)
        }
    }

    private func write(_ pool: PostgresPool) async throws(StoreError) -> [[EndJudgement]] {
        let now = requests.map(\.now).max() ?? Timestamp(milliseconds: 0)
        var left = Array(requests.flatMap(\.ends).enumerated())
        var judgements: [Int: EndJudgement] = [:]
        // A job twice in one statement would be judged twice by what was before both: a second round sees the first.
        while !left.isEmpty {
            var jobs: Set<JobID> = []
            let round = left.filter { jobs.insert($0.element.attempt.job).inserted }
            let taken = Set(round.map(\.offset))
            left.removeAll { taken.contains($0.offset) }
            let judged = try await write(round.map(\.element), now, pool)
            for (end, judgement) in zip(round, judged) { judgements[end.offset] = judgement }
        }
        var place = 0
        return requests.map { request in
            request.ends.map { _ in
                defer { place += 1 }
                return judgements[place] ?? .verdict(.stale)
            }
        }
    }

    private func write(
        _ ends: [AttemptEnd],
        _ now: Timestamp,
        _ pool: PostgresPool
    ) async throws(StoreError) -> [EndJudgement] {
        let ids: PostgresValue = .ids(ends.map(\.attempt.job))
        let group = PostgresGroup(
            .system,
            [
                Self.finish(Self.columns(ends) + [.time(now)]), Self.selectNext([ids, .time(now)]),
                Self.selectLimited([ids, .time(now)]),
            ]
        )
        let answers = try await pool.run(group)
        var next: [(ended: JobID, hint: JobHint)] = []
        for answer in try [answers.at(1), answers.at(2)] {
            next += try answer.rows { row throws(StoreError) in (try row.value(JobID.self), try JobHint(&row)) }
        }
        let hints = Dictionary(grouping: next, by: \.ended).mapValues { $0.map(\.hint) }
        return try answers.at(0).rows { row throws(StoreError) in
            switch try row.value(String.self) {
            case "ended", "repeated":
                let job = try Job(&row)
                return .verdict(.accepted(job, next: hints[job.id] ?? []))
            case "log_missing": return .logMissing
            default: return .verdict(.stale)
            }
        }
    }

    private static func columns(_ ends: [AttemptEnd]) -> [PostgresValue] {
        func texts(_ value: (AttemptEnd) -> String?) -> PostgresValue { .array(.text, ends.map { .text(value($0)) }) }
        return PostgresJobStore.columns(of: ends.map(\.attempt)) + [
            texts(\.state.rawValue), texts { $0.reason?.rawValue }, texts(\.reasonText),
            .array(.text, ends.map { .bytes($0.result.storedJSON) }),
            .array(.bigint, ends.map { .bigint($0.logEnd.lastSeq) }),
            .array(.bigint, ends.map { .bigint($0.logEnd.bytes) }),
            .array(.bytes, ends.map { .bytes($0.logEnd.sha256) }),
            .array(.boolean, ends.map { .boolean($0.didStart) }),
        ]
    }

    private static let finish = PostgresStatement(
        "jobs.finish",
        """
        with finished as materialized (
            select * from errand_finish(
                $1::uuid[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
                $9::bytea[], $10::boolean[], $11::timestamptz
            )
        ),
        -- What the agents say that they cost: of each end once, also of one that is tried again.
        spent as (
            insert into team_spend as s (team_id, day, micro_usd, input_tokens, output_tokens, jobs)
            select c.team_id, ($11::timestamptz at time zone 'utc')::date, sum(c.cost), sum(c.taken), sum(c.given), count(*)
            from (
                select (f.job).team_id, \(amount("cost_micro_usd")) as cost, \(amount("input_tokens")) as taken,
                    \(amount("output_tokens")) as given
                from finished f cross join lateral (select ($6::text[])[f.nth]::json as result) r
                where f.verdict = 'ended'
            ) c
            where c.cost > 0 or c.taken > 0 or c.given > 0
            group by c.team_id
            order by c.team_id
            on conflict (team_id, day) do update
            set micro_usd = s.micro_usd + excluded.micro_usd, input_tokens = s.input_tokens + excluded.input_tokens,
                output_tokens = s.output_tokens + excluded.output_tokens, jobs = s.jobs + excluded.jobs
        )
        select f.verdict, \(Job.columns)
        from finished f
        left join lateral (select (f.job).*) j on f.verdict in ('ended', 'repeated')
        order by f.nth
        """
    )
    /// A number of a result; a worker's word for it is taken up to what a sum of them can hold.
    private static func amount(_ name: String) -> String {
        "least(greatest(coalesce((r.result ->> '\(name)')::numeric, 0), 0), 1e12)::bigint"
    }

    /// What an end makes runnable of a team that is at the number of jobs that it may run at once, or was a moment ago:
    /// as many as have ended of its jobs that run anywhere, and as many of its idle workspaces, in turns.
    private static let selectLimited = PostgresStatement(
        "jobs.next_of_limited",
        """
        with ended as materialized (
            select e.team_id, min(e.id::text)::uuid as ended, min(e.project_id::text)::uuid as project, count(*) as places
            from (
                select q.team_id, q.id, q.project_id from jobs q
                where q.id = any ($1::uuid[]) order by q.id limit cardinality($1::uuid[])
            ) e
            group by e.team_id
        ),
        -- Ends of the same moment see each other's places as taken or as free; sixty-four more or less do no harm.
        limited as materialized (
            select e.*, errand_is_spent(e.team_id, $2::timestamptz) as is_spent
            from (select n.*, errand_limit(n.team_id, 'running_jobs') as most from ended n offset 0) e
            where case
                when e.most is not null then e.most - errand_used_jobs(e.team_id, 'running_jobs') <= e.places + 64
            end
        )
        select t.ended, \(JobHint.columns)
        from limited t
        cross join lateral (
            (
                select q.* from jobs q
                where q.team_id = t.team_id and q.state = 'queued' and q.workspace = 'none'
                    and q.run_at <= $2::timestamptz and not (t.is_spent and q.kind = 'claude')
                order by q.priority, q.run_at, q.id limit t.places
            )
            union all
            (
                select f.*
                from (
                    select h.id from projects h
                    where h.team_id = t.team_id and h.deleted_at is null
                    order by h.id <= t.project, h.id
                ) r
                cross join lateral errand_first_of(r.id, $2::timestamptz, t.is_spent) f
                where (
                    select busy.id from jobs busy
                    where busy.project_id = r.id and busy.workspace = 'project' and busy.state in ('running', 'paused')
                ) is null
                limit t.places
            )
        ) j
        left join projects p on p.id = j.project_id
        """
    )
    /// What an end makes runnable: the job itself when it goes back, and the next job of its project's workspace
    /// that may run.
    private static let selectNext = PostgresStatement(
        "jobs.next",
        """
        with ended as materialized (
            select q.id, q.project_id, q.workspace,
                q.workspace = 'project' and errand_is_spent(q.team_id, $2::timestamptz) as is_spent
            from jobs q
            where q.id = any ($1::uuid[]) order by q.id limit cardinality($1::uuid[])
        )
        select e.id, \(JobHint.columns)
        from ended e
        cross join lateral (
            select o.* from (select * from jobs s where s.id = e.id offset 0) o where o.state = 'queued'
            union all
            select f.* from errand_first_of(e.project_id, $2::timestamptz, e.is_spent) f
            where e.workspace = 'project' and f.id <> e.id
        ) j
        left join projects p on p.id = j.project_id
        """
    )
}
