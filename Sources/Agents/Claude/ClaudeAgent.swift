import Bytes
package import Core
package import Platform

/// The Claude Code CLI in stream-json mode: keeps its lines, answers its questions, judges its end.
package struct ClaudeAgent: AgentMachine {
    /// What is read here is far shorter, and reading more would hold up everything else of this worker.
    ///
    /// Results with large images are longer; nothing of theirs is needed.
    static let lineLimit = 4 << 20
    /// More concurrent calls than any agent makes; further ones do not hold the watchdog off.
    private static let trackedTools = 1_024

    private let permissions: ClaudePermissions
    private var assembler = LineAssembler(limit: lineLimit)
    private var watchdog = ClaudeWatchdog()
    private var runningTools: Set<String> = []
    private var wasHeard = false
    private var hasStarted = false
    private var inputIsOpen = true
    private var isTurnOpen = false
    private var report = ClaudeReport()

    /// Runs under `policy`.
    package init(policy: AgentPolicy) { permissions = ClaudePermissions(policy: policy) }

    package mutating func receive(stdout: [UInt8]) -> [AgentAction] {
        wasHeard = wasHeard || !stdout.isEmpty
        return assembler.lines(in: stdout).flatMap { take($0) }
    }

    package mutating func receive(stderr: [UInt8]) -> [AgentAction] {
        report.note(stderr: stderr)
        return stderr.isEmpty ? [] : [.record(.stderr, stderr)]
    }

    package mutating func outputEnded() -> [AgentAction] { assembler.remainder().map { take($0) } ?? [] }

    package mutating func tick(now: Instant) -> [AgentAction] {
        defer { wasHeard = false }
        return watchdog.look(now: now, phase: phase, wasHeard: wasHeard).map { [$0] } ?? []
    }

    package mutating func interrupt() -> [AgentAction] { inputIsOpen ? [.send(ClaudeControl.interrupt)] : [] }

    package func outcome(exit: AgentExit, killedBecause: JobReason?) -> AgentOutcome {
        report.outcome(exit: exit, killedBecause: killedBecause, endedInsideTurn: isTurnOpen)
    }

    private var phase: ClaudeWatchdog.Phase {
        if !hasStarted { return .starting }
        if !inputIsOpen && !isTurnOpen { return .leaving }
        return runningTools.isEmpty ? .working : .inTool
    }

    private mutating func take(_ line: LineAssembler.Line) -> [AgentAction] {
        switch line {
        case .piece(let bytes, let isFirst):
            return (isFirst ? [Self.unread("over \(Self.lineLimit) bytes long")] : []) + [.record(.stderr, bytes)]
        case .whole(let bytes) where bytes.isEmpty: return []
        case .whole(let bytes):
            // The agent stream promises JSON to its readers; whatever else comes out is kept beside it.
            let beside = AgentAction.record(.stderr, bytes + [UInt8(ascii: "\n")])
            do throws(JSONError) {
                guard let (json, parsed) = try ClaudeLine.read(bytes) else { return [beside] }
                hasStarted = true
                return [.record(.agent, json)] + react(to: parsed)
            } catch {
                let isLimit = [.tooManyValues, .tooManyMembers, .tooDeep].contains(error.reason)
                return (isLimit ? [Self.unread("too complex, for \(error.reason.rawValue)")] : []) + [beside]
            }
        }
    }

    private static func unread(_ why: String) -> AgentAction {
        .record(.errand, [UInt8]("A line of the agent is \(why): it is kept as it came, and not read.\n".utf8))
    }

    private mutating func react(to line: ClaudeLine) -> [AgentAction] {
        switch line {
        case .initialized(let session, let version, let model):
            isTurnOpen = true
            report.note(session: session, version: version, model: model)
            return []
        case .assistant(let toolUses, let error):
            if runningTools.count < Self.trackedTools { runningTools.formUnion(toolUses.prefix(Self.trackedTools)) }
            if let error { report.note(assistantError: error) }
            return []
        case .toolResults(let ids):
            runningTools.subtract(ids)
            return []
        case .result(let result): return finishTurn(result)
        case .quotaRejected(let resetsAt):
            report.note(quotaResetsAt: resetsAt)
            return []
        case .permissionRequest(let id, let tool, let needsPerson):
            return answer(permissions.answer(tool: tool, needsPerson: needsPerson), tool: tool, requestID: id)
        case .otherRequest(let id, let subtype):
            return inputIsOpen ? [.send(ClaudeControl.unsupported(subtype, requestID: id))] : []
        case .other: return []
        }
    }

    private func answer(_ answer: ClaudePermissions.Answer, tool: String, requestID: String) -> [AgentAction] {
        guard inputIsOpen else { return [] }
        let line = AgentAction.send(ClaudeControl.permission(answer, requestID: requestID))
        guard case .deny(let reason) = answer else { return [line] }
        return [.record(.errand, [UInt8]("Denied \(tool.plainLine(limit: 64)): \(reason)\n".utf8)), line]
    }

    private mutating func finishTurn(_ result: ClaudeResult) -> [AgentAction] {
        isTurnOpen = false
        runningTools = []
        report.note(result: result)
        var actions: [AgentAction] = []
        if !result.isError, let text = result.text, !text.isEmpty {
            actions.append(.answer(text.hasSuffix("\n") ? text : text + "\n"))
        }
        if inputIsOpen {
            inputIsOpen = false
            actions += [.closeInput, .ended]
        }
        return actions
    }
}
