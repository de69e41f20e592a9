package import Core

/// Something worth a line in the operator's log.
package enum WorkerEvent: Sendable, CustomStringConvertible {
    case enrolled(WorkerID)
    case linked(epoch: Int64)
    case linkLost(String)
    case fenced
    case began(AttemptID)
    case ended(AttemptID, JobState, JobReason?)
    case recovered(AttemptID)
    case draining(running: Int)
    case transferFailed(ProjectID, String)
    /// The workspace of a project that is no more could not be removed.
    case removalFailed(ProjectID, String)
    case storageFault(String)
    /// The server that makes sandboxes is gone, hangs, or is back.
    case sandboxServer(String)
    /// A request of a sandbox to its model failed.
    case modelFault(String, String)
    /// The installed agent cannot be used.
    case agentFault(String)

    package var description: String {
        switch self {
        case .enrolled(let worker): "enrolled as \(worker)"
        case .linked(let epoch): "linked, epoch \(epoch)"
        case .linkLost(let reason): "link lost: \(reason)"
        case .fenced: "no beat was acknowledged in time: every job was killed"
        case .began(let attempt): "began \(attempt)"
        case .ended(let attempt, let state, let reason):
            "ended \(attempt): \(state.rawValue)" + (reason.map { " (\($0.rawValue))" } ?? "")
        case .recovered(let attempt): "found the log of \(attempt), which this process does not run"
        case .draining(let running): "draining, \(running) attempts are held"
        case .transferFailed(let project, let reason): "workspace of \(project): \(reason)"
        case .removalFailed(let project, let reason): "removing the workspace of \(project): \(reason)"
        case .storageFault(let text): "storage: \(text)"
        case .sandboxServer(let text): "sandbox server: \(text)"
        case .agentFault(let text): "agent: \(text)"
        case .modelFault(let sandbox, let text): "\(sandbox): \(text)"
        }
    }
}

/// Why a worker stops for good.
package enum WorkerError: Error, CustomStringConvertible {
    /// Another worker process uses the data directory.
    case dataDirectoryInUse(String)
    /// There is neither a credential nor an enrolment token.
    case notEnrolled
    /// The API refused the enrolment token or the credential.
    case refused(String)
    /// The API cannot be reached, or is not ready; worth another try.
    case unreachable(String)
    /// A file of the worker cannot be used.
    case storage(String)
    /// The sandbox server did not start.
    case sandbox(String)
    /// Root could not be given up.
    case privileges(String)

    package var description: String {
        switch self {
        case .dataDirectoryInUse(let path): "another worker uses \(path)"
        case .notEnrolled: "this worker is not enrolled: give it an enrolment token"
        case .refused(let text): "the API refused this worker: \(text)"
        case .unreachable(let text): "the API cannot be reached: \(text)"
        case .storage(let text): "storage: \(text)"
        case .sandbox(let text): "sandbox: \(text)"
        case .privileges(let text): "giving up root: \(text)"
        }
    }
}
