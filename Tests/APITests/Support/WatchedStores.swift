import Bytes
import Core
import Platform

/// Jobs as the real store has them, which may be away, and a count of the sweeps.
final class WatchedJobStore: JobStore {
    private let real: any JobStore
    /// Thrown instead of noting that an attempt began.
    var startFailure: StoreError?
    /// Starts that were refused so.
    private(set) var failedStarts = 0
    private(set) var sweeps = 0
    let changed = LoopCondition()

    init(_ real: any JobStore) { self.real = real }

    func submit(_ jobs: [NewJob], scope: Scope) async throws(StoreError) -> [Submission] {
        try await real.submit(jobs, scope: scope)
    }

    func job(_ id: JobID, scope: Scope) async throws(StoreError) -> Access<Job>? {
        try await real.job(id, scope: scope)
    }

    func jobs(_ filter: JobFilter, before: JobID?, limit: Int, scope: Scope) async throws(StoreError) -> Page<Job> {
        try await real.jobs(filter, before: before, limit: limit, scope: scope)
    }

    func requestCancel(
        _ id: JobID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> CancelOutcome? {
        try await real.requestCancel(id, scope: scope, now: now, audit: audit)
    }

    func claim(
        candidates: [JobID]?,
        lease: WorkerLease,
        limit: Int,
        now: Timestamp
    ) async throws(StoreError) -> [ClaimedJob] {
        try await real.claim(candidates: candidates, lease: lease, limit: limit, now: now)
    }

    func markStarted(_ attempt: AttemptID, now: Timestamp) async throws(StoreError) -> Bool {
        if let startFailure {
            failedStarts += 1
            changed.signalAll()
            throw startFailure
        }
        return try await real.markStarted(attempt, now: now)
    }

    func finish(_ ends: [AttemptEnd], now: Timestamp) async throws(StoreError) -> [EndVerdict] {
        try await real.finish(ends, now: now)
    }

    func release(_ attempts: [AttemptID], now: Timestamp) async throws(StoreError) -> [JobHint] {
        try await real.release(attempts, now: now)
    }

    func reconcile(
        _ running: [AttemptID],
        lease: WorkerLease
    ) async throws(StoreError) -> (cancelled: [AttemptID], stale: [AttemptID]) {
        try await real.reconcile(running, lease: lease)
    }

    func running(_ lease: WorkerLease) async throws(StoreError) -> [AttemptID] { try await real.running(lease) }

    func lost(now: Timestamp, includesSilent: Bool, limit: Int) async throws(StoreError) -> [LostAttempt] {
        try await real.lost(now: now, includesSilent: includesSilent, limit: limit)
    }

    func reap(
        _ attempts: [LostAttempt],
        now: Timestamp,
        includesSilent: Bool
    ) async throws(StoreError) -> (requeued: [JobHint], failed: [Job]) {
        try await real.reap(attempts, now: now, includesSilent: includesSilent)
    }

    func sweep(now: Timestamp, staleAfter: Duration, limit: Int) async throws(StoreError) -> [JobHint] {
        let hints = try await real.sweep(now: now, staleAfter: staleAfter, limit: limit)
        sweeps += 1
        changed.signalAll()
        return hints
    }

    func queued(after cursor: JobID?, limit: Int) async throws(StoreError) -> [JobHint] {
        try await real.queued(after: cursor, limit: limit)
    }

    func counts() async throws(StoreError) -> [JobState: Int] { try await real.counts() }
}

/// A log whose reading may be held, as that of a very long one.
final class HeldLogStore: LogStore {
    private let real: any LogStore
    var isHeld = true
    private(set) var isReading = false
    let released = LoopCondition()

    init(_ real: any LogStore) { self.real = real }

    /// Lets the readers go on.
    func release() {
        isHeld = false
        released.signalAll()
    }

    func append(_ records: [LogRecord], to attempt: AttemptID) async throws(StoreError) -> UInt64? {
        try await real.append(records, to: attempt)
    }

    func durable(_ attempt: AttemptID) async throws(StoreError) -> UInt64 { try await real.durable(attempt) }

    func read(_ attempt: AttemptID, from seq: UInt64, maximumBytes: Int) async throws(StoreError) -> [LogRecord] {
        isReading = true
        while isHeld { await released.wait() }
        return try await real.read(attempt, from: seq, maximumBytes: maximumBytes)
    }

    func read(
        _ attempt: AttemptID,
        stream: LogStream,
        fromOffset offset: UInt64,
        maximumBytes: Int
    ) async throws(StoreError) -> [LogRecord] {
        try await real.read(attempt, stream: stream, fromOffset: offset, maximumBytes: maximumBytes)
    }

    func length(_ attempt: AttemptID, stream: LogStream) async throws(StoreError) -> UInt64 {
        try await real.length(attempt, stream: stream)
    }

    func attempts(of job: JobID) async throws(StoreError) -> [(attempt: Int, lastDurable: UInt64)] {
        try await real.attempts(of: job)
    }
}

/// The end of teams by a script, without a database.
final class ScriptedEndings: TeamEndingStore {
    /// How many more steps each team takes, in the order in which they are listed.
    var teams: [(team: TeamID, steps: Int)] = []
    /// Teams of which no step ends in time.
    var stuck: Set<TeamID> = []
    /// The steps so far.
    private(set) var steps: [(team: TeamID, limit: Int)] = []

    func endJobs(now: Timestamp, limit: Int) async throws(StoreError) -> [EndedJob] { [] }

    func endedTeams(now: Timestamp, limit: Int) async throws(StoreError) -> [TeamID] { teams.map(\.team) }

    func purge(_ team: TeamID, now: Timestamp, limit: Int, audit: AuditDraft) async throws(StoreError) -> TeamPurge {
        steps.append((team, limit))
        if stuck.contains(team) { throw .unavailable("teams.purge: canceling statement due to statement timeout") }
        guard let index = teams.firstIndex(where: { $0.team == team }) else { return .unknown }
        teams[index].steps -= 1
        guard teams[index].steps == 0 else { return .more }
        teams.remove(at: index)
        return .done
    }

    func expireInvites(now: Timestamp, limit: Int) async throws(StoreError) {}

    func removals(of worker: WorkerID, limit: Int) async throws(StoreError) -> [ProjectID] { [] }

    func removed(_ projects: [ProjectID], by worker: WorkerID) async throws(StoreError) {}
}
