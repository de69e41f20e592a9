package import Bytes

/// What a finished attempt reports.
package struct JobResult: Sendable, Equatable {
    /// The exit code of the command, or of the agent's process.
    package var exitCode: Int?
    package var signal: Int?
    /// The agent's cost estimate in micro-USD.
    package var costMicroUSD: Int64?
    package var inputTokens: Int64?
    package var outputTokens: Int64?
    package var turns: Int?
    package var durationMilliseconds: Int64?
    package var agentVersion: String?
    /// The agent's own session id.
    package var agentSession: String?
    package var model: String?
    /// How strongly the attempt was contained: `root` or `rootless`, and what was degraded.
    package var isolation: String?

    /// An empty result, to be filled.
    package init() {}
}

/// Where an attempt's log ended: the proof a reader checks against.
package struct LogEnd: Sendable, Equatable {
    /// The last record's number; 0 when there is none.
    package var lastSeq: UInt64
    /// The bytes of all records together.
    package var bytes: UInt64
    /// SHA-256 over the records' bytes in order, 32 bytes.
    package var sha256: [UInt8]

    /// Makes an end from its parts.
    package init(lastSeq: UInt64, bytes: UInt64, sha256: [UInt8]) {
        self.lastSeq = lastSeq
        self.bytes = bytes
        self.sha256 = sha256
    }
}

/// One run in a project.
package struct Job: Sendable, Equatable {
    package var id: JobID
    package var teamID: TeamID
    package var projectID: ProjectID
    package var submittedBy: ActingAccount
    package var state: JobState
    package var reason: JobReason?
    /// One sentence for a person.
    package var reasonText: String?
    package var priority: Int
    package var workspace: WorkspaceMode
    package var policy: AgentPolicy
    package var work: JobWork
    /// The number of the latest claim: the fence.
    package var attempt: Int
    package var maxAttempts: Int
    package var timeoutSeconds: Int?
    package var workerID: WorkerID?
    package var createdAt: Timestamp
    package var runAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var cancelRequestedAt: Timestamp?
    package var result: JobResult?
    package var logEnd: LogEnd?
    /// Whose model key the latest attempt was granted; nil before that, and for a command.
    package var modelKey: ModelKeyKind?

    /// Makes a job that was just submitted.
    package init(
        id: JobID,
        teamID: TeamID,
        projectID: ProjectID,
        submittedBy: ActingAccount,
        state: JobState = .queued,
        priority: Int = JobLimits.defaultPriority,
        workspace: WorkspaceMode,
        policy: AgentPolicy,
        work: JobWork,
        maxAttempts: Int = 1,
        timeoutSeconds: Int?,
        createdAt: Timestamp,
        runAt: Timestamp
    ) {
        self.id = id
        self.teamID = teamID
        self.projectID = projectID
        self.submittedBy = submittedBy
        self.state = state
        self.priority = priority
        self.workspace = workspace
        self.policy = policy
        self.work = work
        self.attempt = 0
        self.maxAttempts = maxAttempts
        self.timeoutSeconds = timeoutSeconds
        self.createdAt = createdAt
        self.runAt = runAt
    }
}

/// A job's fence: what every write of an attempt must match.
package struct AttemptID: Hashable, Sendable, CustomStringConvertible {
    package var job: JobID
    package var attempt: Int

    /// Names an attempt.
    package init(job: JobID, attempt: Int) {
        self.job = job
        self.attempt = attempt
    }

    package var description: String { "\(job)/\(attempt)" }
}
