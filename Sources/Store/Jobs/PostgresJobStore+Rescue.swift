import Bytes
import Core

extension PostgresJobStore {
    func lost(now: Timestamp, includesSilent: Bool, limit: Int) async throws(StoreError) -> [LostAttempt] {
        let values: [PostgresValue] = [.time(now), .boolean(includesSilent), .integer(limit)]
        return try await pool.run(.system, Self.selectLost(values)).rows { row throws(StoreError) in
            LostAttempt(attempt: try AttemptID(&row), isLast: try row.value())
        }
    }

    func reap(
        _ attempts: [LostAttempt],
        now: Timestamp,
        includesSilent: Bool
    ) async throws(StoreError) -> (requeued: [JobHint], failed: [Job]) {
        guard !attempts.isEmpty else { return ([], []) }
        let ends = attempts.map { if case .end(let end) = $0.log { end } else { nil as LogEnd? } }
        let columns = Self.columns(of: attempts.map(\.attempt))
        let values: [PostgresValue] =
            columns + [
                .array(.bigint, ends.map { $0.map { .bigint($0.lastSeq) } ?? .null }),
                .array(.bigint, ends.map { $0.map { .bigint($0.bytes) } ?? .null }),
                .array(.bytes, ends.map { $0.map { .bytes($0.sha256) } ?? .null }),
                .array(.boolean, attempts.map { .boolean($0.log == .damaged) }), .time(now), .boolean(includesSilent),
            ]
        // What is locked by the first statement is seen by the second as it is then.
        let group = PostgresGroup(.system, [Self.lock([.ids(attempts.map(\.attempt.job))]), Self.reapLost(values)])
        let found = try await pool.run(group).at(1).rows { row throws(StoreError) in
            (job: try Job(&row), home: try row.optional(WorkerID.self))
        }
        return (
            requeued: found.filter { !$0.job.state.isFinal }.map { JobHint($0.job, home: $0.home) },
            failed: found.map(\.job).filter(\.state.isFinal)
        )
    }

    /// Whether a running job `j` has lost its worker at the time `moment`.
    private static func isLost(moment: StaticString, includesSilent: StaticString) -> String {
        """
        (
            select w.epoch = j.worker_epoch and (w.lease_until >= \(moment)::timestamptz or not \(includesSilent)::boolean)
            from workers w where w.id = j.worker_id
        ) is not true
        """
    }

    private static let selectLost = PostgresStatement(
        "jobs.lost",
        """
        select j.id, j.attempt, j.cancel_requested_at is not null or j.tries >= j.max_attempts
        from jobs j
        where j.state in ('running', 'paused') and \(isLost(moment: "$1", includesSilent: "$2"))
        limit $3::integer
        """
    )
    private static let lock = PostgresStatement(
        "jobs.lock",
        "select j.id from jobs j where j.id = any ($1::uuid[]) order by j.id for no key update"
    )
    /// Cancelled when that was asked for, else queued again while tries are left, else failed.
    private static let reapLost = PostgresStatement(
        "jobs.reap",
        """
        with judged as (
            select r.*, j.cancel_requested_at is null and j.tries < j.max_attempts as again
            from unnest($1::uuid[], $2::integer[], $3::bigint[], $4::bigint[], $5::bytea[], $6::boolean[])
                as r (id, attempt, last_seq, log_size, digest, is_damaged)
            join jobs j on j.id = r.id and j.attempt = r.attempt and j.id = any ($1::uuid[])
            where j.state in ('running', 'paused') and \(isLost(moment: "$7", includesSilent: "$8"))
        ),
        reaped as (
            update jobs j
            set state = case
                    when j.cancel_requested_at is not null then 'cancelled'
                    when v.again then 'queued'
                    else 'failed'
                end,
                reason = case when j.cancel_requested_at is not null then 'cancelled_by_user' else 'worker_lost' end,
                reason_text = case
                    when v.again then 'The worker that ran it went away.'
                    when v.is_damaged then 'The worker that ran it went away, and the stored log cannot be read.'
                    when j.cancel_requested_at is not null then
                        'It was cancelled; its worker went away before it said so. The end of the log may be missing.'
                    else 'The worker that ran it went away. The end of the log may be missing.'
                end,
                finished_at = case when v.again then null else $7::timestamptz end,
                worker_id = case when v.again then null else j.worker_id end,
                worker_epoch = case when v.again then null else j.worker_epoch end,
                started_at = case when v.again then null else j.started_at end,
                dispatched_at = $7::timestamptz,
                log_last_seq = case when v.again then null else v.last_seq end,
                log_bytes = case when v.again then null else v.log_size end,
                log_sha256 = case when v.again then null else v.digest end
            from judged v
            where j.id = any ($1::uuid[]) and j.id = v.id and (
                v.again or v.is_damaged or v.last_seq = coalesce((
                    select o.last_seq from job_output o
                    where o.job_id = v.id and o.attempt = v.attempt
                    order by o.first_seq desc limit 1
                ), 0)
            )
            returning j.*
        )
        select \(Job.columns), case when j.workspace = 'project' then p.home_worker end
        from reaped j left join projects p on p.id = j.project_id
        """
    )
}
