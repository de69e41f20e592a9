import Core
import Platform

/// Notices a CLI that never starts, falls silent, or does not go.
struct ClaudeWatchdog: Sendable {
    /// What the CLI is doing, as far as silence is concerned.
    enum Phase: Equatable {
        /// Nothing has been heard yet.
        case starting
        case working
        /// A tool runs, which may be silent for as long as it likes.
        case inTool
        /// The answer is in and standard input closed.
        case leaving
    }

    /// A cold start from a slow disk takes seconds; a minute means that it hangs.
    static let startLimit = Duration.seconds(60)
    /// The CLI itself gives a silent model 600 s before it tries again and says so.
    static let silenceLimit = Duration.seconds(900)
    /// The CLI leaves within 0.1 s of its last line; a slow reader may hold it longer.
    static let exitLimit = Duration.seconds(10)

    private var phase: Phase?
    private var since: Instant?
    private var hasFired = false

    /// What to do about the time passed; `wasHeard` says whether a line came since the last look.
    mutating func look(now: Instant, phase: Phase, wasHeard: Bool) -> AgentAction? {
        if self.phase != phase || wasHeard || since == nil {
            self.phase = phase
            since = now
            return nil
        }
        guard !hasFired, let since, let (limit, action) = Self.limit(of: phase), since.advanced(by: limit) <= now
        else { return nil }
        hasFired = true
        return action
    }

    private static func limit(of phase: Phase) -> (Duration, AgentAction)? {
        switch phase {
        case .starting: (startLimit, .stop(.agentFailed, "The agent did not start within \(startLimit.seconds) s."))
        case .working: (silenceLimit, .stop(.agentFailed, "The agent was silent for \(silenceLimit.seconds) s."))
        case .inTool: nil
        case .leaving: (exitLimit, .stop(nil, "The agent did not exit \(exitLimit.seconds) s after its answer."))
        }
    }
}

extension Duration {
    fileprivate var seconds: Int64 { components.seconds }
}
