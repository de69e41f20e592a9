/// Where a job stands.
package enum JobState: String, Sendable, CaseIterable {
    case delayed, queued, blocked, running, paused, succeeded, failed, cancelled
    case timedOut = "timed_out"

    /// True for the states that no job leaves.
    package var isFinal: Bool {
        switch self {
        case .succeeded, .failed, .cancelled, .timedOut: true
        case .delayed, .queued, .blocked, .running, .paused: false
        }
    }

    /// The states this one may change to; SQL enforces the same arrows by compare-and-set.
    package var successors: Set<JobState> {
        switch self {
        case .delayed: [.queued, .cancelled]
        case .queued: [.running, .blocked, .cancelled]
        case .blocked: [.queued, .cancelled, .failed]
        case .running: [.queued, .paused, .succeeded, .failed, .cancelled, .timedOut]
        case .paused: [.running, .queued, .failed, .cancelled, .timedOut]
        case .succeeded, .failed, .cancelled, .timedOut: []
        }
    }
}

/// The stable word for why a job is where it is.
package enum JobReason: String, Sendable, CaseIterable {
    case exitCode = "exit_code"
    case signal
    case timeout
    case cancelledByUser = "cancelled_by_user"
    case workerLost = "worker_lost"
    case sandboxRefused = "sandbox_refused"
    case agentMissing = "agent_missing"
    case agentFailed = "agent_failed"
    case agentCrashed = "agent_crashed"
    case authFailed = "auth_failed"
    case waitingForQuota = "waiting_for_quota"
    case limitReached = "limit_reached"
    case spoolFull = "spool_full"
    case homeWorkerGone = "home_worker_gone"
    /// The files that it was to work on went with a revoked worker.
    case workspaceLost = "workspace_lost"
    case internalError = "internal_error"
}
