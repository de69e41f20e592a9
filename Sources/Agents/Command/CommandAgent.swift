package import Core
package import Platform

/// A plain command: its output is the log, its exit code the outcome.
package struct CommandAgent: AgentMachine {
    private let program: String

    /// Expects the output of `program`.
    package init(program: String) { self.program = program }

    /// How to start a command; the job's own variables override the base ones.
    package static func launch(_ spec: CommandSpec, places: AgentPlaces) throws(AgentRefusal) -> AgentLaunch {
        guard let program = spec.argv.first, !program.isEmpty else { throw AgentRefusal("The command is empty.") }
        guard !spec.argv.contains(where: { $0.utf8.contains(0) }) else {
            throw AgentRefusal("An argument of the command holds a NUL byte.")
        }
        for (name, value) in spec.environment
        where name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) || name.utf8.contains(0) || value.utf8.contains(0) {
            throw AgentRefusal("An environment variable of the command has a malformed name or value.")
        }
        let base = places.baseEnvironment.filter { spec.environment[$0.0] == nil }
        let own = spec.environment.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        return AgentLaunch(
            arguments: spec.argv,
            environment: base + own,
            workingDirectory: places.workspace,
            firstInput: [UInt8]((spec.standardInput ?? "").utf8),
            closesInputAfterFirst: true
        )
    }

    package mutating func receive(stdout: [UInt8]) -> [AgentAction] { Self.records(.stdout, stdout) }

    package mutating func receive(stderr: [UInt8]) -> [AgentAction] { Self.records(.stderr, stderr) }

    package mutating func outputEnded() -> [AgentAction] { [] }

    package mutating func tick(now: Instant) -> [AgentAction] { [] }

    package mutating func interrupt() -> [AgentAction] { [] }

    package func outcome(exit: AgentExit, killedBecause: JobReason?) -> AgentOutcome {
        var result = JobResult()
        let name = program.plainLine(limit: 64)
        switch exit {
        case .exited(let code): result.exitCode = Int(code)
        case .signaled(let number): result.signal = Int(number)
        }
        if let reason = killedBecause { return .stopped(because: reason, what: "The command", result: result) }
        return switch exit {
        case .exited(0): AgentOutcome(state: .succeeded, reason: nil, reasonText: nil, result: result)
        case .exited(let code):
            AgentOutcome(state: .failed, reason: .exitCode, reasonText: "\(name) exited with \(code).", result: result)
        case .signaled(let number):
            AgentOutcome(
                state: .failed,
                reason: .signal,
                reasonText: "\(name) was ended by signal \(number).",
                result: result
            )
        }
    }

    private static func records(_ stream: LogStream, _ bytes: [UInt8]) -> [AgentAction] {
        stride(from: 0, to: bytes.count, by: LogRecord.maximumBytes).map { start in
            .record(stream, [UInt8](bytes[start..<min(start + LogRecord.maximumBytes, bytes.count)]))
        }
    }
}
