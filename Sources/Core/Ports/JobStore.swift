package import Bytes

/// A job to be submitted, with what makes a repeat of the request harmless.
package struct NewJob: Sendable {
    package var job: Job
    /// The client's `Idempotency-Key`, unique per person.
    package var idempotencyKey: String?
    /// SHA-256 of the request's meaning; another one under the same key is a conflict.
    package var requestHash: [UInt8]
    /// Recorded with the job when it is created, not when the request is a repeat.
    package var audit: AuditDraft

    /// Pairs a job with its idempotency and its record.
    package init(job: Job, idempotencyKey: String?, requestHash: [UInt8], audit: AuditDraft) {
        self.job = job
        self.idempotencyKey = idempotencyKey
        self.requestHash = requestHash
        self.audit = audit
    }
}

/// What became of one submitted job.
package enum Submission: Sendable {
    case created(Job)
    /// The same key and the same request came before: this is its job.
    case repeated(Job)
    /// The same key came before with another request.
    case keyReused
    /// The project is not in the submitter's scope any more.
    case projectGone
    /// The team has all that this quota allows.
    case quotaExceeded(QuotaName)
}

/// What a listing of jobs is narrowed to.
package struct JobFilter: Sendable, Equatable {
    package var project: ProjectID?
    package var team: TeamID?
    package var states: [JobState] = []
    package var kind: JobKind?

    /// No narrowing.
    package init() {}
}

/// A job that waits, as the queue sees it.
package struct JobHint: Hashable, Sendable {
    package var job: JobID
    package var team: TeamID
    package var placement: PlacementClass
    package var priority: Int
    package var runAt: Timestamp

    /// Makes a hint.
    package init(job: JobID, team: TeamID, placement: PlacementClass, priority: Int, runAt: Timestamp) {
        self.job = job
        self.team = team
        self.placement = placement
        self.priority = priority
        self.runAt = runAt
    }
}

/// A job that a worker has just claimed: the row, its attempt raised.
package struct ClaimedJob: Sendable {
    package var job: Job
    /// The project's number on its home worker's disk is the worker's own affair; the name is the project's id.
    package var project: Project

    /// Pairs a claimed job with its project.
    package init(job: Job, project: Project) {
        self.job = job
        self.project = project
    }
}

/// How an attempt ended, as its worker reports it.
package struct AttemptEnd: Sendable, Equatable {
    package var attempt: AttemptID
    /// One of the final states.
    package var state: JobState
    package var reason: JobReason?
    package var reasonText: String?
    package var result: JobResult
    package var logEnd: LogEnd
    /// False when the work itself never began: such a claim does not count against `maxAttempts`.
    package var didStart: Bool

    /// Makes an end.
    package init(
        attempt: AttemptID,
        state: JobState,
        reason: JobReason?,
        reasonText: String?,
        result: JobResult,
        logEnd: LogEnd,
        didStart: Bool
    ) {
        self.attempt = attempt
        self.state = state
        self.reason = reason
        self.reasonText = reasonText
        self.result = result
        self.logEnd = logEnd
        self.didStart = didStart
    }
}

/// The store's answer to one reported end.
package enum EndVerdict: Sendable {
    /// Written, now or by an earlier report of the same end; `next` are jobs that this end has made runnable.
    case accepted(Job, next: [JobHint])
    /// Another attempt owns the job: discard everything.
    case stale
}

/// A running attempt whose worker will not report its end.
package struct LostAttempt: Sendable, Equatable {
    /// Where such an attempt's log ends.
    package enum LogState: Sendable, Equatable {
        /// Nobody has looked.
        case unknown
        case end(LogEnd)
        /// What is stored cannot be read.
        case damaged
    }

    package var attempt: AttemptID
    /// Whether the job ends with it, as far as is known; otherwise it goes back to the queue.
    package var isLast: Bool
    /// How far its log is stored.
    package var log = LogState.unknown

    /// Names an attempt whose log nobody has looked at.
    package init(attempt: AttemptID, isLast: Bool) {
        self.attempt = attempt
        self.isLast = isLast
    }
}

/// What a cancel request found.
package enum CancelOutcome: Sendable {
    /// It was waiting and is cancelled now.
    case cancelled(Job)
    /// It runs; its worker must be told.
    case requested(Job, worker: WorkerID)
    /// It had ended before.
    case alreadyFinal(Job)
}

/// Jobs, kept durably; every transition is a compare-and-set on (id, state, attempt).
package protocol JobStore: AnyObject {
    /// Inserts jobs in one statement and one commit; answers in the order given.
    func submit(_ jobs: [NewJob], scope: Scope) async throws(StoreError) -> [Submission]
    /// One job with the asker's role; nil when unknown or out of scope.
    func job(_ id: JobID, scope: Scope) async throws(StoreError) -> Access<Job>?
    /// Jobs in scope, newest first, older than `before`.
    func jobs(_ filter: JobFilter, before: JobID?, limit: Int, scope: Scope) async throws(StoreError) -> Page<Job>
    /// Asks that a job end; nil when unknown or out of scope. Only the first asking is recorded.
    func requestCancel(
        _ id: JobID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> CancelOutcome?
    /// Claims up to `limit` queued, due jobs for a worker: only those of `candidates`, or when nil by fair order.
    ///
    /// Takes jobs placed anywhere or at home on this worker, homes a project that has no home yet, and never lets two
    /// jobs of one project's workspace run at once. Ids that are not returned were ghosts.
    func claim(
        candidates: [JobID]?,
        lease: WorkerLease,
        limit: Int,
        now: Timestamp
    ) async throws(StoreError) -> [ClaimedJob]
    /// Records that the work of an attempt began; false when stale.
    func markStarted(_ attempt: AttemptID, now: Timestamp) async throws(StoreError) -> Bool
    /// Ends attempts, result and log end in the same transaction; answers in the order given.
    func finish(_ ends: [AttemptEnd], now: Timestamp) async throws(StoreError) -> [EndVerdict]
    /// Gives claims back untouched (the worker cannot run them): queued again, not counted.
    ///
    /// One whose work had begun is not given back: it counts as lost with its worker, and `reap` settles it.
    func release(_ attempts: [AttemptID], now: Timestamp) async throws(StoreError) -> [JobHint]
    /// Of the attempts a worker says it runs: those whose job wants to be cancelled, and those it no longer owns.
    func reconcile(
        _ running: [AttemptID],
        lease: WorkerLease
    ) async throws(StoreError) -> (cancelled: [AttemptID], stale: [AttemptID])
    /// The running attempts that were claimed under a lease.
    func running(_ lease: WorkerLease) async throws(StoreError) -> [AttemptID]
    /// The running attempts whose worker is gone: it has begun another session, or its lease has ended.
    ///
    /// Those of the second kind are left out unless `includesSilent`, so that workers may renew their leases first.
    func lost(now: Timestamp, includesSilent: Bool, limit: Int) async throws(StoreError) -> [LostAttempt]
    /// Requeues, fails or cancels the jobs of attempts that are lost still.
    ///
    /// One that becomes final must come with the end of its log as it is stored; else it is left for another time.
    func reap(
        _ attempts: [LostAttempt],
        now: Timestamp,
        includesSilent: Bool
    ) async throws(StoreError) -> (requeued: [JobHint], failed: [Job])
    /// Due queued jobs not hinted since `staleAfter`; marks them hinted. Also moves due delayed jobs to queued.
    func sweep(now: Timestamp, staleAfter: Duration, limit: Int) async throws(StoreError) -> [JobHint]
    /// Every queued job after `cursor` in a fixed order, for the rebuild of a lost queue.
    func queued(after cursor: JobID?, limit: Int) async throws(StoreError) -> [JobHint]
    /// Queued and running jobs, for metrics.
    func counts() async throws(StoreError) -> [JobState: Int]
}
