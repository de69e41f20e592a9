import Bytes
import Core
import Platform
import Queue
import TestSupport
import Testing

/// The same promises, held to by Redis and by the fakes that other rooms test with.
@Suite(.timeLimit(.minutes(1))) struct ConformanceTests {
    enum Backend: CaseIterable, Sendable { case memory, redis }

    /// The three ports of one backend.
    private final class Ports {
        let queue: any JobQueue
        let tail: any LiveTail
        let bus: any MessageBus
        let rig: Rig
        let lose: () async throws -> Void

        init(_ backend: Backend, _ rig: Rig) {
            self.rig = rig
            switch backend {
            case .memory:
                let memoryBus = InMemoryBus()
                let memoryQueue = InMemoryQueue(clock: rig.clock, bus: memoryBus)
                let memoryTail = InMemoryTail(bus: memoryBus)
                (queue, tail, bus) = (memoryQueue, memoryTail, memoryBus)
                lose = {
                    memoryQueue.lose()
                    memoryTail.lose()
                }
            case .redis:
                (queue, tail, bus) = (rig.queue.jobs, rig.queue.tail, rig.queue.bus)
                lose = { _ = try await rig.redis.command("FLUSHALL") }
            }
        }

        /// Listens, and comes back when messages will be heard from now on.
        func listen(_ channel: String) async throws -> (Mailbox, any BusSubscription) {
            let mailbox = Mailbox()
            let subscription = bus.subscribe(channel) { mailbox.take($0) }
            if bus is RedisBus { try #require(await mailbox.wait(on: rig.loop) { $0.losses > 0 }) }
            return (mailbox, subscription)
        }

        func pop(_ limit: Int, _ classes: [PlacementClass] = [.anywhere]) async -> [JobID]? {
            guard case .jobs(let jobs) = await queue.pop(classes: classes, limit: limit) else { return nil }
            return jobs
        }
    }

    private func hold(_ backend: Backend, _ body: @escaping @Sendable (Ports) async throws -> Void) async throws {
        try await Rig.run { try await body(Ports(backend, $0)) }
    }

    @Test(arguments: Backend.allCases) func `jobs of one team come by priority, then due time`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { ports in
            let team = TeamID(at: ports.rig.clock.now)
            let late = ports.rig.hint(team)
            let early = ports.rig.hint(team, after: .seconds(-5))
            let urgent = ports.rig.hint(team, priority: 0)
            let patient = ports.rig.hint(team, priority: 9, after: .seconds(-60))
            await ports.queue.push([late, early, urgent, patient])
            #expect(await ports.pop(10) == [urgent.job, early.job, late.job, patient.job])
            #expect(await ports.pop(10) == [])
        }
    }

    @Test(arguments: Backend.allCases) func `a team with ten thousand hints delays another's job by one turn`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { ports in
            let crowd = TeamID(at: ports.rig.clock.now)
            let single = TeamID(at: ports.rig.clock.now)
            let count = backend == .redis ? 10_000 : 300
            await ports.queue.push((0..<count).map { _ in ports.rig.hint(crowd, priority: 0) })
            _ = await ports.pop(3)
            let job = ports.rig.hint(single, priority: 9)
            await ports.queue.push([job])
            let first = await ports.pop(1) ?? []
            let second = await ports.pop(1) ?? []
            #expect((first + second).contains(job.job))
        }
    }

    @Test(arguments: Backend.allCases) func `teams are served in turn within one pop`(_ backend: Backend) async throws {
        try await hold(backend) { ports in
            let teams = (0..<3).map { _ in TeamID(at: ports.rig.clock.now) }
            let hints = teams.map { team in (0..<3).map { _ in ports.rig.hint(team) } }
            for row in hints { await ports.queue.push(row) }
            let taken = try #require(await ports.pop(9))
            let owners = taken.compactMap { job in hints.firstIndex { row in row.contains { $0.job == job } } }
            #expect(owners == [0, 1, 2, 0, 1, 2, 0, 1, 2])
        }
    }

    @Test(arguments: Backend.allCases) func `a hint that is not due is kept until it is`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { ports in
            let team = TeamID(at: ports.rig.clock.now)
            let delayed = ports.rig.hint(team, after: .seconds(30))
            await ports.queue.push([delayed])
            #expect(await ports.pop(1) == [])
            ports.rig.clock.advance(by: .milliseconds(29_999))
            #expect(await ports.pop(1) == [])
            ports.rig.clock.advance(by: .milliseconds(1))
            #expect(await ports.pop(1) == [delayed.job])
        }
    }

    @Test(arguments: Backend.allCases) func `a worker is given only the classes that it satisfies`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { ports in
            let team = TeamID(at: ports.rig.clock.now)
            let home = PlacementClass.home(WorkerID(at: ports.rig.clock.now))
            let stranger = PlacementClass.home(WorkerID(at: ports.rig.clock.now))
            let (here, anywhere) = (ports.rig.hint(team, home), ports.rig.hint(team))
            await ports.queue.push([here, anywhere])
            #expect(await ports.pop(5, [stranger]) == [])
            #expect(Set(await ports.pop(5, [.anywhere, home]) ?? []) == [here.job, anywhere.job])
        }
    }

    @Test(arguments: Backend.allCases) func `classes share a pop of one between them`(_ backend: Backend) async throws {
        try await hold(backend) { ports in
            let team = TeamID(at: ports.rig.clock.now)
            let home = PlacementClass.home(WorkerID(at: ports.rig.clock.now))
            await ports.queue.push((0..<50).map { _ in ports.rig.hint(team) })
            let here = ports.rig.hint(team, home)
            await ports.queue.push([here])
            var taken: [JobID] = []
            for _ in 0..<4 { taken += await ports.pop(1, [.anywhere, home]) ?? [] }
            #expect(taken.contains(here.job))
        }
    }

    @Test(arguments: Backend.allCases) func `a hint pushed twice is given once`(_ backend: Backend) async throws {
        try await hold(backend) { ports in
            let hint = ports.rig.hint(TeamID(at: ports.rig.clock.now))
            await ports.queue.push([hint])
            await ports.queue.push([hint])
            #expect(await ports.pop(5) == [hint.job])
        }
    }

    @Test(arguments: Backend.allCases) func `a lost queue says so until it is rebuilt`(_ backend: Backend) async throws
    {
        try await hold(backend) { ports in
            let team = TeamID(at: ports.rig.clock.now)
            let hints = (0..<500).map { _ in ports.rig.hint(team) }
            await ports.queue.push(hints)
            try await ports.lose()
            #expect(await ports.pop(1) == nil)
            await ports.queue.push([ports.rig.hint(team)])
            #expect(await ports.pop(1) == nil)
            let rebuild = QueueRebuild(queue: ports.queue) { (cursor: JobID?, limit: Int) async throws(StoreError) in
                Array(
                    hints.sorted { $0.job < $1.job }.drop { cursor != nil && $0.job <= (cursor ?? $0.job) }.prefix(
                        limit
                    )
                )
            }
            #expect(try await rebuild.run() == 500)
            #expect(Set(await ports.pop(1_000) ?? []) == Set(hints.map(\.job)))
        }
    }

    @Test(arguments: Backend.allCases) func `a push wakes whoever waits to claim`(_ backend: Backend) async throws {
        try await hold(backend) { ports in
            let (mailbox, _) = try await ports.listen(BusChannel.wake)
            await ports.queue.push([ports.rig.hint(TeamID(at: ports.rig.clock.now))])
            #expect(await mailbox.wait(on: ports.rig.loop) { !$0.messages.isEmpty })
        }
    }

    @Test(arguments: Backend.allCases) func `a tail gives what follows, or nothing when that is gone`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { ports in
            let attempt = AttemptID(job: JobID(at: ports.rig.clock.now), attempt: 3)
            let records = (1...10).map { Records.one(seq: UInt64($0), bytes: 100) }
            await ports.tail.append(Array(records[..<4]), to: attempt)
            await ports.tail.append(Array(records[4...]), to: attempt)
            #expect(await ports.tail.read(attempt, after: 0, limit: 100) == records)
            #expect(await ports.tail.read(attempt, after: 2, limit: 5) == Array(records[2..<7]))
            #expect(await ports.tail.read(attempt, after: 10, limit: 5) == [])
            #expect(await ports.tail.read(AttemptID(job: attempt.job, attempt: 4), after: 0, limit: 5) == [])
            try await ports.lose()
            #expect(await ports.tail.read(attempt, after: 0, limit: 5) == [])
        }
    }

    @Test(arguments: Backend.allCases) func `records sent again are given once`(_ backend: Backend) async throws {
        try await hold(backend) { ports in
            let attempt = AttemptID(job: JobID(at: ports.rig.clock.now), attempt: 1)
            let records = (1...6).map { Records.one(seq: UInt64($0), bytes: 10) }
            await ports.tail.append(Array(records[..<5]), to: attempt)
            await ports.tail.append(Array(records[2..<4]), to: attempt)
            await ports.tail.append(Array(records[3...]), to: attempt)
            #expect(await ports.tail.read(attempt, after: 0, limit: 100) == records)
        }
    }

    @Test(arguments: Backend.allCases) func `a tail is bounded in bytes and says nothing of what it lost`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { ports in
            let attempt = AttemptID(job: JobID(at: ports.rig.clock.now), attempt: 1)
            for seq in 1...40 { await ports.tail.append([Records.one(seq: UInt64(seq), bytes: 100_000)], to: attempt) }
            #expect(await ports.tail.read(attempt, after: 0, limit: 100) == [])
            #expect(await ports.tail.read(attempt, after: 35, limit: 100).map(\.seq) == [36, 37, 38, 39, 40])
        }
    }

    @Test(arguments: Backend.allCases) func `an append is heard on the job's channel`(_ backend: Backend) async throws {
        try await hold(backend) { ports in
            let attempt = AttemptID(job: JobID(at: ports.rig.clock.now), attempt: 7)
            let (mailbox, subscription) = try await ports.listen(BusChannel.log(attempt.job))
            let records = (1...3).map { Records.one(seq: UInt64($0), bytes: 50) }
            await ports.tail.append(records, to: attempt)
            #expect(await mailbox.wait(on: ports.rig.loop) { !$0.messages.isEmpty })
            var cursor = ByteCursor(mailbox.messages.first ?? [])
            #expect(cursor.read(UInt32.self) == 7)
            #expect(LogRecordCodec.decode(Array(cursor.read(count: cursor.remaining) ?? [])) == records)
            subscription.cancel()
        }
    }

    @Test(arguments: Backend.allCases) func `messages reach each subscriber of the channel in order and no other`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { ports in
            let (first, _) = try await ports.listen("a")
            let second = Mailbox()
            let ended = ports.bus.subscribe("a") { second.take($0) }
            let (other, _) = try await ports.listen("b")
            let messages = (0..<50).map { [UInt8($0), 0, 0x0d, 0x0a, 0xff] }
            for message in messages { ports.bus.publish("a", message) }
            ports.bus.publish("b", [1])
            #expect(await other.wait(on: ports.rig.loop) { $0.messages == [[1]] })
            #expect(first.messages == messages)
            #expect(second.messages == messages)
            ended.cancel()
            ports.bus.publish("a", [9])
            #expect(await first.wait(on: ports.rig.loop) { $0.messages.last == [9] })
            #expect(second.messages == messages)
        }
    }
}

enum Records {
    static func one(seq: UInt64, bytes count: Int) -> LogRecord {
        LogRecord(
            seq: seq,
            stream: .stdout,
            offset: (seq - 1) * UInt64(count),
            at: Timestamp(milliseconds: 1_700_000_000_000),
            bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: seq), count: count)
        )
    }
}
