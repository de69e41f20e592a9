import Bytes
import Core
import Platform

/// Jobs in PostgreSQL.
///
/// Submits and ends that come together share a transaction (`Batcher`); each is committed before it is answered.
final class PostgresJobStore: JobStore {
    /// Rows and bytes that one transaction carries at most: a few milliseconds of the server's time.
    private static let batchRows = 512
    private static let batchBytes = 4 << 20
    /// What has served its time is looked for this often.
    private static let expiryInterval = Duration.seconds(60)
    /// A worker that restarts is back before; only then do its projects' jobs wait as `blocked`.
    private static let homeGrace = Duration.seconds(30)

    let pool: PostgresPool
    private let submissions: Batcher<SubmitRequest, [Submission]>
    private let ends: Batcher<EndRequest, [EndJudgement]>
    var ring = ClaimRing()
    /// How far the sweep of jobs that run anywhere has come; nil at the front.
    private var sweptThrough: JobID?
    private var nextExpiry = Timestamp(milliseconds: .min)

    init(_ pool: PostgresPool, loop: EventLoop) {
        self.pool = pool
        submissions = Batcher(
            loop: loop,
            capacity: Self.batchBytes,
            weigh: { $0.weight(perRow: Self.batchBytes / Self.batchRows) },
            perform: { requests in await SubmitBatch(requests).run(pool) }
        )
        ends = Batcher(
            loop: loop,
            capacity: Self.batchRows,
            weigh: { $0.ends.count },
            perform: { requests in await EndBatch(requests).run(pool) }
        )
    }

    func submit(_ jobs: [NewJob], scope: Scope) async throws(StoreError) -> [Submission] {
        guard !jobs.isEmpty else { return [] }
        return try await submissions.submit(SubmitRequest(jobs: jobs, scope: scope))
    }

    func finish(_ attempts: [AttemptEnd], now: Timestamp) async throws(StoreError) -> [EndVerdict] {
        guard !attempts.isEmpty else { return [] }
        guard attempts.allSatisfy(\.state.isFinal) else {
            throw .failed(stage: "jobs.finish: an end that is not final", sqlState: "22023")
        }
        let judgements = try await ends.submit(EndRequest(ends: attempts, now: now))
        return try judgements.map { judgement throws(StoreError) in
            switch judgement {
            case .verdict(let verdict): verdict
            // The others of the call are written; repeating them is harmless.
            case .logMissing: throw .conflict(field: "log")
            }
        }
    }

    func job(_ id: JobID, scope: Scope) async throws(StoreError) -> Access<Job>? {
        try await pool.run(scope, JobStatements.select([.id(id)])).first { row throws(StoreError) in
            Access(value: try Job(&row), role: try row.word())
        }
    }

    func jobs(_ filter: JobFilter, before: JobID?, limit: Int, scope: Scope) async throws(StoreError) -> Page<Job> {
        let values: [PostgresValue] = [
            .id(before ?? .highest), .integer(limit + 1),
            .array(.text, filter.states.map { .text($0.rawValue) }), .word(filter.kind), .id(filter.project),
            .id(filter.team),
        ]
        let statement = JobListing.statement(for: filter, scope: scope)
        let found = try await pool.run(scope, statement(values)).rows { row throws(StoreError) in try Job(&row) }
        return Page(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    func requestCancel(
        _ id: JobID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> CancelOutcome? {
        // The second statement sees what ended the job, when the first one came too late.
        let group = PostgresGroup(
            scope,
            [
                JobStatements.cancel([.id(id), .time(now)] + AuditStatements.values([audit])),
                JobStatements.select([.id(id)]),
            ]
        )
        let answers = try await pool.run(group)
        let touched = try answers.at(0).first { row throws(StoreError) in try Job(&row) }
        if let job = touched {
            guard !job.state.isFinal, let worker = job.workerID else { return .cancelled(job) }
            return .requested(job, worker: worker)
        }
        let found = try answers.at(1).first { row throws(StoreError) in try Job(&row) }
        // One that lives and was not touched is not the asker's to end.
        return found.flatMap { $0.state.isFinal ? .alreadyFinal($0) : nil }
    }

    func markStarted(_ attempt: AttemptID, now: Timestamp) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [.id(attempt.job), .integer(attempt.attempt), .time(now)]
        return try await pool.run(.system, JobStatements.start(values)).affected > 0
    }

    func release(_ attempts: [AttemptID], now: Timestamp) async throws(StoreError) -> [JobHint] {
        guard !attempts.isEmpty else { return [] }
        let values = Self.columns(of: attempts) + [.time(now)]
        return try await pool.run(.system, JobStatements.release(values)).rows { row throws(StoreError) in
            try JobHint(&row)
        }
    }

    func reconcile(
        _ running: [AttemptID],
        lease: WorkerLease
    ) async throws(StoreError) -> (cancelled: [AttemptID], stale: [AttemptID]) {
        guard !running.isEmpty else { return ([], []) }
        let values = Self.columns(of: running) + [.id(lease.worker), .bigint(lease.epoch)]
        let found = try await pool.run(.system, JobStatements.reconcile(values)).rows { row throws(StoreError) in
            (attempt: try AttemptID(&row), isOwned: try row.value(Bool.self))
        }
        return (
            cancelled: found.filter(\.isOwned).map(\.attempt),
            stale: found.filter { !$0.isOwned }.map(\.attempt)
        )
    }

    func running(_ lease: WorkerLease) async throws(StoreError) -> [AttemptID] {
        let values: [PostgresValue] = [.id(lease.worker), .bigint(lease.epoch)]
        return try await pool.run(.system, JobStatements.running(values)).rows { row throws(StoreError) in
            try AttemptID(&row)
        }
    }

    func sweep(now: Timestamp, staleAfter: Duration, limit: Int) async throws(StoreError) -> [JobHint] {
        let values: [PostgresValue] = [
            .time(now), .bigint(staleAfter.wholeMilliseconds), .bigint(Self.homeGrace.wholeMilliseconds),
            .integer(limit), .id(sweptThrough),
        ]
        let rows = try await pool.run(.system, JobStatements.sweep(values)).rows { row throws(StoreError) in
            let isHint: Bool = try row.value()
            let walked: JobID? = try row.optional()
            return (walked: walked, hint: isHint ? try JobHint(&row) : nil)
        }
        sweptThrough = rows.last?.walked
        let hints = rows.compactMap(\.hint)
        if now >= nextExpiry {
            nextExpiry = now.adding(Self.expiryInterval)
            _ = try await pool.run(.system, JobStatements.expire([.time(now), .integer(limit)]))
        }
        return hints
    }

    func queued(after cursor: JobID?, limit: Int) async throws(StoreError) -> [JobHint] {
        let values: [PostgresValue] = [.id(cursor), .integer(limit)]
        return try await pool.run(.system, JobStatements.queued(values)).rows { row throws(StoreError) in
            try JobHint(&row)
        }
    }

    func counts() async throws(StoreError) -> [JobState: Int] {
        let found = try await pool.run(.system, JobStatements.count()).rows { row throws(StoreError) in
            (state: try row.word(JobState.self), count: try row.value(Int.self))
        }
        return Dictionary(found.map { ($0.state, $0.count) }) { first, _ in first }
    }

    /// Attempts as two arrays: ids and numbers.
    static func columns(of attempts: [AttemptID]) -> [PostgresValue] {
        [.ids(attempts.map(\.job)), .array(.integer, attempts.map { .integer($0.attempt) })]
    }
}
