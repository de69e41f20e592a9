import Bytes
import Core
import Log
import TestSupport

/// A small reproducible generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// One job's life, moved on by hand or by chance, with the ports that a viewer and an ingest look through.
final class World {
    let bus = InMemoryBus()
    let store = InMemoryLogStore()
    let tail: InMemoryTail
    let clock = ManualTime(Timestamp(milliseconds: 1_700_000_000_000))
    var job: Job
    /// What every attempt wrote, durable or not.
    var written: [Int: [LogRecord]] = [:]
    var durable: [Int: Int] = [:]
    /// Runs while something waits; false ends the wait by its timeout.
    var onWait: () -> Bool = { false }

    init(tailCapacity: Int = 1 << 20) {
        tail = InMemoryTail(bus: bus, capacity: tailCapacity)
        let now = clock.now
        job = Job(
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
        store.isCurrent = { [unowned self] attempt in
            attempt.attempt == job.attempt && job.state == .running
        }
    }

    var attempt: AttemptID { AttemptID(job: job.id, attempt: job.attempt) }

    var ports: LogPorts {
        LogPorts(
            store: store,
            tail: tail,
            bus: bus,
            clock: clock,
            loadJob: { [unowned self] (_: JobID) async throws(StoreError) -> Job? in
                store.onCall()
                if let failure = store.failure { throw failure }
                return job
            },
            makeWaiter: { [unowned self] in ScriptedWaiter(self) }
        )
    }

    func hub(ringCapacity: Int = 1 << 20) -> LogHub { LogHub(ports: ports, ringCapacity: ringCapacity) }

    func claim() {
        job.state = .running
        job.attempt += 1
        job.startedAt = clock.now
        written[job.attempt] = []
        durable[job.attempt] = 0
        tellState()
    }

    /// The worker writes records, which go live but are not durable yet.
    func write(_ texts: [String], stream: LogStream = .stdout) {
        var records: [LogRecord] = []
        for text in texts {
            let earlier = written[job.attempt, default: []]
            let offset = earlier.filter { $0.stream == stream }.reduce(0) { $0 + UInt64($1.bytes.count) }
            let record = LogRecord(
                seq: UInt64(earlier.count + 1),
                stream: stream,
                offset: offset,
                at: clock.now,
                bytes: Array(text.utf8)
            )
            written[job.attempt, default: []].append(record)
            records.append(record)
        }
        tail.keep(records, of: attempt)
    }

    /// Writes records nobody hears of, as when the replica that took them dies at once.
    func writeSilently(_ texts: [String]) {
        bus.isAway = true
        write(texts)
        bus.isAway = false
    }

    /// The first `count` records of the running attempt become durable, synchronously.
    func persist(upTo count: Int) {
        let done = durable[job.attempt, default: 0]
        guard count > done else { return }
        store.insert(Array(written[job.attempt, default: []][done..<count]), to: attempt)
        durable[job.attempt] = count
    }

    func persistAll() { persist(upTo: written[job.attempt, default: []].count) }

    /// The replica that held the undurable records is gone: the worker sends them again.
    func resend() {
        let lost = written[job.attempt, default: []].dropFirst(durable[job.attempt, default: 0])
        if !lost.isEmpty { tail.keep(Array(lost), of: attempt) }
    }

    /// The reaper takes the attempt; the end of a final one is that of what is stored, unless that cannot be read.
    func loseWorker(mayRetry: Bool, isLogDamaged: Bool = false) {
        if !mayRetry, !isLogDamaged { endLog(after: durable[job.attempt, default: 0]) }
        job.state = mayRetry ? .queued : .failed
        job.reason = .workerLost
        job.finishedAt = mayRetry ? nil : clock.now
        tellState()
    }

    func finish() {
        persistAll()
        job.state = .succeeded
        job.finishedAt = clock.now
        endLog(after: written[job.attempt, default: []].count)
        tellState()
    }

    private func endLog(after count: Int) {
        let records = written[job.attempt, default: []].prefix(count)
        job.logEnd = LogEnd(
            lastSeq: UInt64(records.count),
            bytes: records.reduce(0) { $0 + UInt64($1.bytes.count) },
            sha256: [UInt8](repeating: 7, count: 32)
        )
    }

    func tellState() { bus.publish(BusChannel.job(job.id), []) }
}

/// A waiter that lets the world move on until it is signalled or the world says that the time is up.
final class ScriptedWaiter: Waiter {
    private let world: World
    private var isSignalled = false

    init(_ world: World) { self.world = world }

    func wait(timeout: Duration) async {
        isSignalled = false
        while !isSignalled {
            guard world.onWait() else {
                world.clock.advance(by: timeout)
                return
            }
        }
    }

    func signal() { isSignalled = true }
}
