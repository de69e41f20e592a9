import Bytes
import Core

/// What has been learnt about an attempt, and the rules that make an outcome of it.
struct ClaudeReport: Sendable {
    /// Enough for the start-up error that stands alone on standard error.
    private static let stderrTail = 2_048
    private static let textLimit = 300

    private var facts = JobResult()
    private var last: ClaudeResult?
    private var assistantError: String?
    private var isQuotaRejected = false
    private var quotaResetsAt: Int64?
    private var stderr: [UInt8] = []

    mutating func note(session: String?, version: String?, model: String?) {
        facts.agentSession = session?.plainLine(limit: 128) ?? facts.agentSession
        facts.agentVersion = version?.plainLine(limit: 64) ?? facts.agentVersion
        facts.model = model?.plainLine(limit: 128) ?? facts.model
    }

    mutating func note(assistantError: String) { self.assistantError = assistantError }

    mutating func note(quotaResetsAt: Int64?) {
        isQuotaRejected = true
        self.quotaResetsAt = quotaResetsAt
    }

    mutating func note(stderr bytes: [UInt8]) {
        stderr = (stderr + bytes.suffix(Self.stderrTail)).suffix(Self.stderrTail)
    }

    mutating func note(result: ClaudeResult) {
        last = result
        facts.turns = Int(clamping: Int64(facts.turns ?? 0) &+ result.turns)
        facts.inputTokens = (facts.inputTokens ?? 0) &+ result.inputTokens
        facts.outputTokens = (facts.outputTokens ?? 0) &+ result.outputTokens
        facts.durationMilliseconds = (facts.durationMilliseconds ?? 0) &+ result.durationMilliseconds
        // The cost is of the process so far: the last one stands.
        if let cost = result.totalCost, (0..<1_000_000_000).contains(cost) {
            facts.costMicroUSD = Int64((cost * 1_000_000).rounded())
        }
    }

    /// The first rule that matches, in the order of the CLI's measured endings; never from text, nor from `subtype` alone.
    func outcome(exit: AgentExit, killedBecause: JobReason?, endedInsideTurn: Bool) -> AgentOutcome {
        var result = facts
        switch exit {
        case .exited(let code): result.exitCode = Int(code)
        case .signaled(let number): result.signal = Int(number)
        }
        func ended(_ state: JobState, _ reason: JobReason?, _ text: String?) -> AgentOutcome {
            AgentOutcome(state: state, reason: reason, reasonText: text, result: result)
        }
        if let killedBecause { return .stopped(because: killedBecause, what: "The agent", result: result) }
        guard let last, !endedInsideTurn else { return withoutResult(exit, ended) }
        if last.terminalReason == "tool_deferred" {
            return ended(.failed, .agentFailed, "The agent waits for an approval that nobody can give.")
        }
        guard last.isError else { return ended(.succeeded, nil, nil) }
        let text = last.text.map { ": " + $0.plainLine(limit: Self.textLimit) } ?? "."
        if isQuotaRejected || last.apiErrorStatus == 429 || last.terminalReason == "blocking_limit" {
            let until = quotaResetsAt.flatMap { seconds in
                (0..<(1 << 40)).contains(seconds) ? Timestamp(milliseconds: seconds * 1_000).rfc3339 : nil
            }
            return ended(
                .failed,
                .waitingForQuota,
                "The model provider refuses further use" + (until.map { " until \($0)" } ?? "") + text
            )
        }
        if last.apiErrorStatus == 401 || last.apiErrorStatus == 403 || assistantError == "authentication_failed" {
            return ended(.failed, .authFailed, "The model provider refuses the key" + text)
        }
        if last.subtype.hasPrefix("error_max_") {
            return ended(.failed, .limitReached, "The agent reached a limit (\(last.subtype.plainLine(limit: 64))).")
        }
        if let reason = last.terminalReason, reason.hasPrefix("aborted_") {
            return ended(.cancelled, .cancelledByUser, "The agent was interrupted.")
        }
        let status = last.apiErrorStatus.map { ", status \($0)" } ?? ""
        let reason = (last.terminalReason ?? last.subtype).plainLine(limit: 64)
        return ended(.failed, .agentFailed, "The agent failed (\(reason)\(status))" + text)
    }

    private func withoutResult(
        _ exit: AgentExit,
        _ ended: (JobState, JobReason?, String?) -> AgentOutcome
    ) -> AgentOutcome {
        let lastWords = String(decoding: stderr, as: UTF8.self).split(separator: "\n").last
        let text = lastWords.map { ": " + String($0).plainLine(limit: Self.textLimit) } ?? "."
        return switch exit {
        case .exited(0): ended(.failed, .agentFailed, "The agent ended without a result" + text)
        case .exited(let code): ended(.failed, .agentCrashed, "The agent exited with \(code) without a result" + text)
        case .signaled(let number):
            ended(.failed, .agentCrashed, "The agent was ended by signal \(number) without a result" + text)
        }
    }
}
