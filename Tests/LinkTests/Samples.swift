import Bytes
import Core
import Link

/// One message of every kind, with every optional field both there and absent.
enum Samples {
    static let job = JobID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)
    static let attempt = AttemptID(job: job, attempt: 3)
    static let other = AttemptID(job: JobID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0002), attempt: 1)
    static let project = ProjectID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0003)
    static let worker = WorkerID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0004)

    static var fullResult: JobResult {
        var result = JobResult()
        result.exitCode = 137
        result.signal = 9
        result.costMicroUSD = 12_345
        result.inputTokens = 10
        result.outputTokens = 20
        result.turns = 2
        result.durationMilliseconds = 1_234
        result.agentVersion = "2.1.0"
        result.agentSession = "b2f1"
        result.model = "standin"
        result.isolation = "root"
        return result
    }

    static func end(_ state: JobState, reason: JobReason?, result: JobResult) -> AttemptEnd {
        AttemptEnd(
            attempt: attempt,
            state: state,
            reason: reason,
            reasonText: reason.map { "because of \($0.rawValue) \u{1} \"é\"" },
            result: result,
            logEnd: LogEnd(lastSeq: 9, bytes: 1 << 40, sha256: Array(0..<32)),
            didStart: state == .succeeded
        )
    }

    static let workerControl: [WorkerControlMessage] = [
        .hello(
            HelloMessage(
                resuming: 7,
                slots: 4,
                agentVersion: "2.1.0",
                isolation: "root",
                running: [attempt, other]
            )
        ),
        .hello(HelloMessage(resuming: nil, slots: 0, agentVersion: nil, isolation: nil, running: [])),
        .claim(free: 3, received: 12),
        .beat(serial: 5, running: [attempt]),
        .started(attempt),
        .finish([
            end(.succeeded, reason: nil, result: fullResult), end(.failed, reason: .exitCode, result: JobResult()),
        ]),
        .release([other], reason: "draining"),
        .workspaceDone(transfer: 1, .done(bytes: 99, entries: 3)),
        .workspaceDone(transfer: 2, .failed(.refused, text: "entry ../x")),
        .removed([project]),
    ]

    static let command = JobAssignment(
        attempt: attempt,
        project: project,
        workspace: .none,
        policy: .contained,
        work: .command(
            CommandSpec(
                argv: ["sh", "-c", "echo \u{1}é"],
                environment: ["A": "1", "B": ""],
                standardInput: "in\u{0}put"
            )
        ),
        timeoutSeconds: 60,
        model: nil
    )

    static let agent = JobAssignment(
        attempt: other,
        project: project,
        workspace: .project,
        policy: .readOnly,
        work: .claude(ClaudeSpec(prompt: "do\nit", model: "m", maxTurns: 3)),
        timeoutSeconds: nil,
        model: ModelGrant(
            endpoint: ModelEndpoint(provider: .compatible, baseURL: "http://127.0.0.1:9", reach: .anywhere),
            apiKey: "sk-1"
        )
    )

    static let apiControl: [APIControlMessage] = [
        .welcome(
            WelcomeMessage(
                lease: WorkerLease(worker: worker, epoch: 8),
                timeToLiveMilliseconds: 20_000,
                heartbeatMilliseconds: 5_000,
                resume: [ResumePoint(attempt: attempt, durable: 77)],
                cancelled: [attempt],
                stale: [other]
            )
        ),
        .claimed([command, agent]),
        .claimed([]),
        .beatAck(serial: 5, cancelled: [attempt], stale: []),
        .finished([
            FinishAnswer(attempt: attempt, verdict: .accepted), FinishAnswer(attempt: other, verdict: .stale),
        ]),
        .cancel(job),
        .workspace(WorkspaceRequest(transfer: 4, project: project, direction: .pull)),
        .remove([project]),
        .remove([]),
        .goodbye(.draining),
    ]

    static let workerBulk: [WorkerBulkMessage] = [
        .open(epoch: 8),
        .records(attempt, frames: [1, 2, 3]),
        .chunk(transfer: 1, Array(repeating: 7, count: 300)),
        .end(transfer: 1, error: nil),
        .end(transfer: 1, error: "tar: exit 2"),
        .transferCredit(transfer: 1, bytes: 1 << 20),
    ]

    static let apiBulk: [APIBulkMessage] = [
        .durable(attempt, seq: 1 << 50),
        .expected(attempt, next: 4),
        .stale(other),
        .credit(bytes: 4 << 20),
        .chunk(transfer: 1, []),
        .end(transfer: 1, error: nil),
        .end(transfer: 1, error: "client went away"),
        .transferCredit(transfer: 9, bytes: 1),
    ]
}
