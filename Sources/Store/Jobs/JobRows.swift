import Bytes
import Core

extension Job {
    /// The columns that `init(_:)` reads.
    static let columns = """
        j.id, j.team_id, j.project_id, j.submitted_by, j.submitted_by_service, j.state, j.priority, \
        j.workspace, j.policy, j.kind, j.spec, j.max_attempts, j.timeout_seconds, j.created_at, j.run_at, j.reason, \
        j.reason_text, j.attempt, j.worker_id, j.started_at, j.finished_at, j.cancel_requested_at, j.result, j.log_last_seq, \
        j.log_bytes, j.log_sha256, j.model_key
        """

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        let id: JobID = try row.value()
        let team: TeamID = try row.value()
        let project: ProjectID = try row.value()
        let account: UserID = try row.value()
        let isService: Bool = try row.value()
        let state: JobState = try row.word()
        let priority: Int = try row.value()
        let workspace: WorkspaceMode = try row.word()
        let policy: AgentPolicy = try row.word()
        let kind: JobKind = try row.word()
        guard let work = try row.json({ JobWork(kind: kind, stored: $0) }) else {
            throw .failed(stage: "job \(id): no spec", sqlState: "22000")
        }
        self.init(
            id: id,
            teamID: team,
            projectID: project,
            submittedBy: isService
                ? .service(ServiceAccountID(high: account.high, low: account.low)) : .person(account),
            state: state,
            priority: priority,
            workspace: workspace,
            policy: policy,
            work: work,
            maxAttempts: try row.value(),
            timeoutSeconds: try row.optional(),
            createdAt: try row.value(),
            runAt: try row.value()
        )
        reason = try row.optionalWord()
        reasonText = try row.optional()
        attempt = try row.value()
        workerID = try row.optional()
        startedAt = try row.optional()
        finishedAt = try row.optional()
        cancelRequestedAt = try row.optional()
        result = try row.json { JobResult(stored: $0) }
        let lastSeq: UInt64? = try row.optional()
        let bytes: UInt64? = try row.optional()
        let digest: [UInt8]? = try row.optional()
        modelKey = try row.optionalWord()
        if let lastSeq, let bytes, let digest { logEnd = LogEnd(lastSeq: lastSeq, bytes: bytes, sha256: digest) }
    }
}

extension JobHint {
    /// The columns that `init(_:)` reads, of a job `j` and its project `p`.
    static let columns = """
        j.id, j.team_id, case when j.workspace = 'project' then p.home_worker end, j.priority, j.run_at
        """

    /// Reads `columns`: a job without a home runs anywhere.
    init(_ row: inout PostgresRow) throws(StoreError) {
        let id: JobID = try row.value()
        let team: TeamID = try row.value()
        let home: WorkerID? = try row.optional()
        self.init(
            job: id,
            team: team,
            placement: home.map { .home($0) } ?? .anywhere,
            priority: try row.value(),
            runAt: try row.value()
        )
    }
}

extension JobHint {
    /// The hint of a waiting job whose project is homed so.
    init(_ job: Job, home: WorkerID?) {
        self.init(
            job: job.id,
            team: job.teamID,
            placement: job.workspace == .project ? home.map { .home($0) } ?? .anywhere : .anywhere,
            priority: job.priority,
            runAt: job.runAt
        )
    }
}

extension AttemptID {
    /// Reads a job's id and an attempt's number.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(job: try row.value(), attempt: try row.value())
    }
}
