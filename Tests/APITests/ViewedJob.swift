import Bytes
import Core
import HTTP
import Log
import Platform
import TestSupport
import Testing

@testable import API

/// A running job in memory and one viewer of it, with time and rights in the test's hand.
final class ViewedJob {
    let loop: EventLoop
    let clock = ManualTime(Timestamp(milliseconds: 1_790_000_000_000))
    let channel = HeldChannel()
    let rights: HeldRights
    let otherSignIn: SignInID
    private(set) var viewer: StreamViewer
    private let person: Person

    private let bus = InMemoryBus()
    private let store = InMemoryLogStore()
    private let tail: InMemoryTail
    private let job: HeldJob
    private let changed = LoopCondition()
    private var written: [String] = []
    private var hasEnded = false

    /// The row that the log's machines see.
    private final class HeldJob {
        var row: Job

        init(_ row: Job) { self.row = row }
    }

    /// Runs `body` with a viewer that has seen the job's state.
    static func run(_ body: @escaping @Sendable (ViewedJob) async throws -> Void) async throws {
        let loop = try EventLoop.start(name: "viewed")
        defer { loop.stop() }
        try await loop.run {
            let viewed = ViewedJob(loop)
            viewed.start()
            await viewed.until { viewed.channel.holds("job:state") }
            try await body(viewed)
        }
    }

    private init(_ loop: EventLoop) {
        self.loop = loop
        let now = clock.now
        var row = Job(
            id: JobID(at: now),
            teamID: TeamID(at: now),
            projectID: ProjectID(at: now),
            submittedBy: .person(UserID(at: now)),
            workspace: .none,
            policy: .contained,
            work: .command(CommandSpec(argv: ["true"], environment: [:], standardInput: nil)),
            timeoutSeconds: nil,
            createdAt: now,
            runAt: now
        )
        row.state = .running
        row.attempt = 1
        row.startedAt = now
        let job = HeldJob(row)
        self.job = job
        tail = InMemoryTail(bus: bus)
        rights = HeldRights(loop, clock)
        otherSignIn = SignInID(at: now)
        let ports = LogPorts(
            store: store,
            tail: tail,
            bus: bus,
            clock: clock,
            loadJob: { [job] (_: JobID) async throws(StoreError) -> Job? in job.row },
            makeWaiter: { LoopPause(loop) }
        )
        let follower = LogHub(ports: ports).follow(row.id, after: .start, encodeJob: JobView.document)
        let expiry = now.adding(.seconds(900))
        person = Person(user: UserID(at: now), signIn: SignInID(at: now), expiresAt: expiry)
        viewer = StreamViewer(row.id, follower, channel, .person(person), rights: rights)
        channel.onChange = { [changed] in changed.signalAll() }
    }

    private func start() {
        loop.spawnLocal { [self] in
            await viewer.run()
            await channel.close(code: viewer.closing.code, reason: viewer.closing.reason)
            hasEnded = true
            changed.signalAll()
        }
    }

    /// The viewer's person, or another, with a token made now.
    func principal(user: UserID? = nil, signIn: SignInID? = nil) -> Principal {
        .person(
            Person(
                user: user ?? person.user,
                signIn: signIn ?? person.signIn,
                expiresAt: clock.now.adding(.seconds(900))
            )
        )
    }

    /// The client sends a text message.
    func say(_ text: String) { viewer.take(.text(text)) }

    /// The worker writes a record, which goes live.
    func write(_ text: String) {
        let attempt = AttemptID(job: job.row.id, attempt: 1)
        let earlier = written
        written.append(text)
        tail.keep(
            [
                LogRecord(
                    seq: UInt64(earlier.count + 1),
                    stream: .stdout,
                    offset: UInt64(earlier.joined().utf8.count),
                    at: clock.now,
                    bytes: Array(text.utf8)
                )
            ],
            of: attempt
        )
    }
    /// The job ends without having written anything.
    func finish() {
        job.row.state = .succeeded
        job.row.finishedAt = clock.now
        job.row.logEnd = LogEnd(lastSeq: 0, bytes: 0, sha256: [UInt8](repeating: 0, count: 32))
        bus.publish(BusChannel.job(job.row.id), [])
    }

    /// Waits until something holds.
    func until(_ holds: () -> Bool, _ sourceLocation: SourceLocation = #_sourceLocation) async {
        let end = loop.now.advanced(by: .seconds(10))
        while !holds() {
            guard loop.now < end else {
                Issue.record("it did not come to that: \(channel.texts)", sourceLocation: sourceLocation)
                return
            }
            _ = await changed.wait(timeout: .milliseconds(5), on: loop)
        }
    }

    /// Waits until the viewer has done.
    func ended(_ sourceLocation: SourceLocation = #_sourceLocation) async { await until({ hasEnded }, sourceLocation) }
}

/// A WebSocket whose other end is the test.
final class HeldChannel: WebSocketChannel {
    private(set) var texts: [String] = []
    private(set) var closed: (code: UInt16, reason: String)?
    private(set) var isSending = false
    /// The client takes nothing: a send waits until the socket closes.
    var isStalled = false
    var onChange: () -> Void = {}
    var onMessage: ((WebSocketMessage) -> Void)?
    var onDisconnect: (() -> Void)?
    private let closing = LoopCondition()

    var isOpen: Bool { closed == nil }

    func holds(_ part: String) -> Bool { texts.contains { $0.contains(part) } }

    func receive() async throws(DisconnectedError) -> WebSocketMessage? {
        while isOpen { await closing.wait() }
        return nil
    }

    func send(text: [UInt8]) async throws(DisconnectedError) {
        isSending = true
        while isStalled, isOpen { await closing.wait() }
        guard isOpen else { throw DisconnectedError("closed") }
        isSending = false
        texts.append(String(decoding: text, as: UTF8.self))
        onChange()
    }

    func send(binary: [UInt8]) async throws(DisconnectedError) { throw DisconnectedError("no stream is binary") }

    func close(code: UInt16, reason: String) async {
        guard closed == nil else { return }
        closed = (code, reason)
        closing.signalAll()
        onChange()
    }
}

/// Rights by a list of tokens, which may be held back while one is checked.
final class HeldRights: StreamRights {
    let loop: EventLoop
    var tokens: [String: Result<Principal, any Error>] = [:]
    var isHeld = false
    let released = LoopCondition()
    private(set) var asked = 0
    private let clock: ManualTime

    init(_ loop: EventLoop, _ clock: ManualTime) {
        self.loop = loop
        self.clock = clock
    }

    var now: Timestamp { clock.now }

    func endOfStream(_ principal: Principal) async -> StreamEnd? {
        principal.isExpired(at: now) ? .expired : nil
    }

    func renewed(_ token: String, on job: JobID) async throws -> Principal {
        asked += 1
        while isHeld { await released.wait() }
        guard let answer = tokens[token] else { throw ProblemError(.unauthenticated) }
        return try answer.get()
    }
}

/// A pause of the log's machines on the test's loop.
private final class LoopPause: Waiter {
    private let condition = LoopCondition()
    private let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    func wait(timeout: Duration) async { _ = await condition.wait(timeout: timeout, on: loop) }

    func signal() { condition.signalAll() }
}
