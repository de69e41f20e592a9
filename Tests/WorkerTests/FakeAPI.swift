import Core
import Crypto
import HTTP
import Link
import Platform

@testable import Worker

/// The API's end of the link as a test plays it: it stores logs and ends in memory.
final class FakeAPI: LinkTransport {
    let loop: EventLoop
    /// What the next `open` throws.
    var fault: LinkFault?
    /// Switches of its behaviour.
    var answersBeats = true
    var storesRecords = true
    var acceptsEnds = true
    var timeToLiveMilliseconds = 20_000
    var heartbeatMilliseconds = 5_000
    /// What it was told.
    private(set) var hellos: [HelloMessage] = []
    private(set) var claims: [(free: Int, received: UInt64)] = []
    private(set) var started: [AttemptID] = []
    private(set) var ends: [AttemptEnd] = []
    private(set) var released: [AttemptID] = []
    private(set) var beats = 0
    private(set) var transfers: [UInt64: WorkspaceOutcome] = [:]
    private(set) var removed: [ProjectID] = []
    private(set) var chunks: [UInt8] = []
    private(set) var chunksEnd: String??
    private(set) var endMarks = 0
    private(set) var transferCredit = 0
    /// What it holds.
    private(set) var logs: [AttemptID: [LogRecord]] = [:]
    private(set) var epoch: Int64 = 0
    private(set) var control: PipeChannel?
    private(set) var bulk: PipeChannel?
    /// Whether a bulk socket has been opened by the present session.
    var hasBulk: Bool { bulk?.isOpen == true && isBulkOpened }
    private var isBulkOpened = false
    private var owned: Set<AttemptID> = []
    private var granter = CreditGranter(window: LinkProtocol.recordWindow)

    init(_ loop: EventLoop) { self.loop = loop }

    func open(_ path: String, maximumMessage: Int) async throws(LinkFault) -> any WebSocketChannel {
        if let fault { throw fault }
        let (ours, theirs) = PipeChannel.pair()
        if path == LinkProtocol.controlPath {
            control = ours
            loop.spawnLocal { await self.serveControl(ours) }
        } else {
            bulk = ours
            isBulkOpened = false
            granter = CreditGranter(window: LinkProtocol.recordWindow)
            loop.spawnLocal { await self.serveBulk(ours) }
        }
        return theirs
    }

    /// Gives jobs, as if they were claimed.
    func give(_ jobs: JobAssignment...) async {
        owned.formUnion(jobs.map(\.attempt))
        await say(.claimed(jobs))
    }

    /// Counts attempts as this worker's, as if they were claimed before.
    func own(_ attempts: AttemptID...) { owned.formUnion(attempts) }

    /// Takes attempts away, as if their lease had ended.
    func disown(_ attempts: AttemptID...) { owned.subtract(attempts) }

    /// Stores records, as if they had come before.
    func store(_ records: [LogRecord], of attempt: AttemptID) { logs[attempt, default: []] += records }

    func say(_ message: APIControlMessage) async { try? await control?.send(text: message.encoded()) }

    func sayBulk(_ message: APIBulkMessage) async { try? await bulk?.send(binary: message.encoded()) }

    /// The text of one stream of an attempt.
    func text(_ attempt: AttemptID, _ stream: LogStream) -> String {
        let bytes = (logs[attempt] ?? []).filter { $0.stream == stream }.flatMap(\.bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether an end proves the log that is stored.
    func proves(_ end: AttemptEnd) -> Bool {
        let records = logs[end.attempt] ?? []
        let bytes = records.flatMap(\.bytes)
        return records.map(\.seq) == Array(UInt64(1)..<UInt64(records.count) + 1)
            && end.logEnd
                == LogEnd(lastSeq: UInt64(records.count), bytes: UInt64(bytes.count), sha256: Digest.sha256(bytes))
    }

    private func serveControl(_ channel: PipeChannel) async {
        while let message = try? await channel.receive(), case .text(let text) = message {
            guard let decoded = try? WorkerControlMessage(decoding: Array(text.utf8)) else { return }
            await take(decoded)
        }
    }

    private func take(_ message: WorkerControlMessage) async {
        switch message {
        case .hello(let hello): await greet(hello)
        case .claim(let free, let received): claims.append((free, received))
        case .beat(let serial, let running):
            beats += 1
            let stale = running.filter { !owned.contains($0) }
            if answersBeats { await say(.beatAck(serial: serial, cancelled: [], stale: stale)) }
        case .started(let attempt): started.append(attempt)
        case .finish(let reported):
            guard acceptsEnds else { return }
            ends += reported
            let answers = reported.map { end in
                FinishAnswer(attempt: end.attempt, verdict: owned.contains(end.attempt) ? .accepted : .stale)
            }
            for end in reported { owned.remove(end.attempt) }
            await say(.finished(answers))
        case .release(let attempts, _):
            released += attempts
            owned.subtract(attempts)
        case .workspaceDone(let transfer, let outcome): transfers[transfer] = outcome
        case .removed(let projects): removed += projects
        }
    }

    private func greet(_ hello: HelloMessage) async {
        hellos.append(hello)
        if hello.resuming != epoch || epoch == 0 {
            epoch += 1
            if hellos.count > 1 { owned = [] }
        }
        let kept = hello.running.filter { owned.contains($0) }
        await say(
            .welcome(
                WelcomeMessage(
                    lease: WorkerLease(worker: Names.worker, epoch: epoch),
                    timeToLiveMilliseconds: timeToLiveMilliseconds,
                    heartbeatMilliseconds: heartbeatMilliseconds,
                    resume: kept.map { ResumePoint(attempt: $0, durable: UInt64(logs[$0]?.count ?? 0)) },
                    cancelled: [],
                    stale: hello.running.filter { !owned.contains($0) }
                )
            )
        )
    }

    private func serveBulk(_ channel: PipeChannel) async {
        while let message = try? await channel.receive(), case .binary(let frame) = message {
            guard let decoded = try? WorkerBulkMessage(decoding: frame) else { return }
            await take(decoded, cost: frame.count)
        }
    }

    private func take(_ message: WorkerBulkMessage, cost: Int) async {
        switch message {
        case .open: isBulkOpened = true
        case .records(let attempt, let frames):
            guard granter.received(cost) else { return await (bulk?.close(code: 4400, reason: "") ?? ()) }
            granter.consume(cost)
            if frames.isEmpty { endMarks += 1 } else { await keep(frames, of: attempt) }
        case .chunk(_, let bytes): chunks += bytes
        case .end(_, let error): chunksEnd = .some(error)
        case .transferCredit(_, let bytes): transferCredit += Int(bytes)
        }
        if let grant = granter.grant() { await sayBulk(.credit(bytes: grant)) }
    }

    private func keep(_ frames: [UInt8], of attempt: AttemptID) async {
        guard storesRecords else { return }
        for record in LogRecordCodec.decode(frames) ?? [] {
            let next = UInt64(logs[attempt]?.count ?? 0) + 1
            guard record.seq <= next else { return await sayBulk(.expected(attempt, next: next)) }
            if record.seq == next { logs[attempt, default: []].append(record) }
        }
        await sayBulk(.durable(attempt, seq: UInt64(logs[attempt]?.count ?? 0)))
    }
}
