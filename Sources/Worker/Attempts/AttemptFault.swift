import Agents
import Core

/// Why an attempt ended before its program ran.
enum AttemptFault: Error {
    /// No agent is installed on this worker.
    case agentMissing
    /// No model was granted.
    case noModel
    /// The work cannot be turned into a program.
    case refused(String)
    /// The project's directories cannot be had.
    case workspace(ShelfError)
    /// The sandbox does not stand, or does not execute the program.
    case sandbox(SandboxRefusal, program: String)
    /// It was ended from outside.
    case stopped(AttemptStop)

    /// Whether the claim counts: true when another try would meet the same refusal.
    var countsAsStart: Bool {
        switch self {
        case .refused: true
        case .sandbox(let refusal, _): refusal.isProgramFault
        case .agentMissing, .noModel, .workspace, .stopped: false
        }
    }

    /// True when the worker can run nothing any more.
    var isHostGone: Bool { if case .sandbox(let refusal, _) = self { refusal.isHostGone } else { false } }

    /// How the attempt is reported.
    func outcome(isolation: String) -> AgentOutcome {
        var result = JobResult()
        result.isolation = isolation
        switch self {
        case .agentMissing:
            return Self.failed(.agentMissing, "No agent is installed on the worker.", result)
        case .noModel:
            return Self.failed(
                .authFailed,
                "There was no model key: none is set for the submitter or the team, or it does not open or lead anywhere now.",
                result
            )
        case .refused(let text): return Self.failed(.agentFailed, text, result)
        case .workspace(let error): return Self.failed(error.reason, error.description, result)
        case .sandbox(let refusal, let program) where refusal.isProgramFault:
            // What a shell would say: 127 for a program that is not there, 126 for one that cannot be executed.
            result.exitCode = refusal.number == noSuchFile ? 127 : 126
            return Self.failed(.exitCode, "\(TarRefusal.quoted(Array(program.utf8))): \(refusal.text).", result)
        case .sandbox(let refusal, _):
            return Self.failed(.sandboxRefused, "The sandbox was refused at \(refusal).", result)
        case .stopped(let stop):
            let state: JobState =
                switch stop {
                case .cancelled: .cancelled
                case .timedOut: .timedOut
                case .agent, .spoolFull, .outputLimit, .spoolBroken, .fenced, .shutdown, .sandboxGone, .stale: .failed
                }
            return AgentOutcome(state: state, reason: stop.reason, reasonText: stop.note, result: result)
        }
    }

    private static func failed(_ reason: JobReason, _ text: String, _ result: JobResult) -> AgentOutcome {
        AgentOutcome(state: .failed, reason: reason, reasonText: text, result: result)
    }
}

/// ENOENT.
private let noSuchFile: Int32 = 2

extension String {
    /// The longest beginning of whole characters within a number of bytes.
    func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var kept = Substring()
        var size = 0
        for character in self {
            size += character.utf8.count
            if size > limit { break }
            kept.append(character)
        }
        return String(kept)
    }
}
