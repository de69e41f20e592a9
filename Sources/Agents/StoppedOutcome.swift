import Core

extension AgentOutcome {
    /// The outcome of an attempt that Errand itself ended.
    static func stopped(because reason: JobReason, what: String, result: JobResult) -> AgentOutcome {
        let state: JobState
        let text: String
        switch reason {
        case .timeout: (state, text) = (.timedOut, "\(what) ran longer than it was allowed to and was stopped.")
        case .cancelledByUser: (state, text) = (.cancelled, "\(what) was cancelled.")
        case .workerLost: (state, text) = (.failed, "\(what) was stopped because its worker could not go on.")
        case .spoolFull: (state, text) = (.failed, "\(what) was stopped because its output could not be stored.")
        case .limitReached: (state, text) = (.failed, "\(what) was stopped because it wrote more than an attempt may.")
        default: (state, text) = (.failed, "\(what) was stopped (\(reason.rawValue)).")
        }
        return AgentOutcome(state: state, reason: reason, reasonText: text, result: result)
    }
}
