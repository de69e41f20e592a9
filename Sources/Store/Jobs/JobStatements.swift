import Core

/// The statements on single jobs and on the attempts of a worker.
enum JobStatements {
    static let select = PostgresStatement(
        "jobs.get",
        "select \(Job.columns), errand_role(j.team_id, j.project_id) from jobs j where j.id = $1::uuid"
    )
    /// What waits is cancelled here and now; what runs is only marked, for its worker to end.
    static let cancel = AuditStatements.audited(
        "jobs.cancel",
        parameters: 2,
        when: "act.cancel_requested_at = $2::timestamptz",
        """
        update jobs j
        set state = case when j.state in ('running', 'paused') then j.state else 'cancelled' end,
            cancel_requested_at = coalesce(j.cancel_requested_at, $2::timestamptz),
            finished_at = case when j.state in ('running', 'paused') then null else $2::timestamptz end,
            reason = case when j.state in ('running', 'paused') then j.reason else 'cancelled_by_user' end,
            reason_text = case
                when j.state in ('running', 'paused') then j.reason_text
                else 'It was cancelled before it began.'
            end
        where j.id = $1::uuid and j.state in ('delayed', 'queued', 'blocked', 'running', 'paused')
        returning \(Job.columns)
        """
    )
    static let start = PostgresStatement(
        "jobs.start",
        """
        update jobs j set started_at = coalesce(j.started_at, $3::timestamptz)
        where j.id = $1::uuid and j.attempt = $2::integer and j.state in ('running', 'paused')
        """
    )
    /// A job whose cancel was asked for does not go back to the queue.
    static let release = PostgresStatement(
        "jobs.release",
        """
        with held as (
            select j.id
            from unnest($1::uuid[], $2::integer[]) as g (id, attempt)
            join jobs j on j.id = g.id and j.attempt = g.attempt and j.state = 'running' and j.id = any ($1::uuid[])
            order by j.id
            for no key update of j
        ),
        freed as (
            update jobs j
            set state = case when j.cancel_requested_at is null then 'queued' else 'cancelled' end,
                reason = case when j.cancel_requested_at is null then null else 'cancelled_by_user' end,
                reason_text = case
                    when j.cancel_requested_at is null then null
                    else 'It was cancelled before it began.'
                end,
                finished_at = case when j.cancel_requested_at is null then null else $3::timestamptz end,
                tries = greatest(j.tries - 1, 0), worker_id = null, worker_epoch = null, started_at = null,
                dispatched_at = $3::timestamptz
            where j.id = any (array(select h.id from held h)) and j.started_at is null
            returning j.id, j.team_id, j.project_id, j.workspace, j.state, j.priority, j.run_at
        ),
        -- What had begun may have had effects: it is not given back but lost, and the reaper settles it by its rules.
        lost as (
            update jobs j set worker_epoch = -1
            where j.id = any (array(select h.id from held h)) and j.started_at is not null
        )
        select \(JobHint.columns) from freed j left join projects p on p.id = j.project_id where j.state = 'queued'
        """
    )
    static let reconcile = PostgresStatement(
        "jobs.reconcile",
        """
        select f.id, f.attempt, f.is_owned
        from (
            select g.id, g.attempt, j.cancel_requested_at,
                coalesce(
                    j.attempt = g.attempt and j.state in ('running', 'paused')
                        and j.worker_id = $3::uuid and j.worker_epoch = $4::bigint,
                    false
                ) as is_owned
            from unnest($1::uuid[], $2::integer[]) as g (id, attempt)
            left join jobs j on j.id = g.id
        ) f
        where not f.is_owned or f.cancel_requested_at is not null
        """
    )
    static let running = PostgresStatement(
        "jobs.running",
        """
        select j.id, j.attempt from jobs j
        where j.worker_id = $1::uuid and j.worker_epoch = $2::bigint and j.state in ('running', 'paused')
        """
    )
    static let sweep = PostgresStatement(
        "jobs.sweep",
        """
        select s.job is not null, s.walked, s.job, s.team, s.home, s.job_priority, s.due
        from errand_sweep(
            $1::timestamptz, $2::bigint * interval '1 millisecond', $3::bigint * interval '1 millisecond', $4::integer,
            $5::uuid
        ) s
        """
    )
    static let expire = PostgresStatement(
        "jobs.expire",
        """
        select errand_expire($1::timestamptz, $2::integer), errand_expire_credentials($1::timestamptz, $2::integer),
            errand_expire_grants($1::timestamptz, $2::integer)
        """
    )
    static let queued = PostgresStatement(
        "jobs.queued",
        """
        select q.job, q.team, q.home, q.job_priority, q.due from errand_queued($1::uuid, $2::integer) q
        """
    )
    static let count = PostgresStatement(
        "jobs.count",
        """
        select l.state, count(*)
        from (
            select j.state from jobs j
            where j.state in ('delayed', 'queued', 'blocked', 'running', 'paused')
            order by j.team_id, j.id desc
            offset 0
        ) l
        group by l.state
        """
    )
}
