import Bytes
import Core
import Log
import TestSupport
import Testing

@Suite struct IngestTests {
    private func record(_ seq: UInt64, bytes: Int = 10) -> LogRecord {
        LogRecord(
            seq: seq,
            stream: .stdout,
            offset: (seq - 1) * UInt64(bytes),
            at: .init(milliseconds: 0),
            bytes: [UInt8](repeating: 0x61, count: bytes)
        )
    }

    private func running() -> (World, LogIngest) {
        let world = World()
        world.claim()
        return (world, LogIngest(world.attempt, durable: 0, ports: world.ports))
    }

    private func run(_ ingest: LogIngest, _ world: World) async -> [LogIngest.Answer] {
        var answers: [LogIngest.Answer] = []
        world.onWait = {
            ingest.close()
            world.onWait = { false }
            return true
        }
        await ingest.run { answers.append($0) }
        return answers
    }

    @Test func `records are live at once and acknowledged when durable`() async throws {
        let (world, ingest) = running()
        #expect(await ingest.receive([record(1), record(2)]) == .accepted)
        #expect(await world.tail.read(world.attempt, after: 0, limit: 9).count == 2)
        #expect(try await world.store.durable(world.attempt) == 0)
        #expect(await run(ingest, world) == [.durable(2)])
        #expect(try await world.store.durable(world.attempt) == 2)
    }

    @Test func `repeats are dropped, also when new records follow them`() async throws {
        let (world, ingest) = running()
        #expect(await ingest.receive([record(1), record(2)]) == .accepted)
        #expect(await ingest.receive([record(1), record(2)]) == .accepted)
        #expect(await ingest.receive([record(2), record(3)]) == .accepted)
        #expect(await run(ingest, world) == [.durable(3)])
        #expect(try await world.store.read(world.attempt, from: 1, maximumBytes: 1 << 20).map(\.seq) == [1, 2, 3])
    }

    @Test func `a jump is answered with the record that is expected`() async {
        let (world, ingest) = running()
        #expect(await ingest.receive([record(2)]) == .expected(1))
        #expect(await ingest.receive([record(1), record(3)]) == .expected(1))
        #expect(await ingest.receive([record(1)]) == .accepted)
        #expect(await ingest.receive([record(3)]) == .expected(2))
        #expect(await run(ingest, world) == [.durable(1)])
    }

    @Test func `an attempt that is not current is stale`() async {
        let (world, ingest) = running()
        #expect(await ingest.receive([record(1)]) == .accepted)
        world.claim()
        #expect(await run(ingest, world) == [.stale])
        #expect(await ingest.receive([record(2)]) == .stale)
    }

    @Test func `storage that stands further back asks for what it lacks`() async {
        let world = World()
        world.claim()
        let ingest = LogIngest(world.attempt, durable: 5, ports: world.ports)
        #expect(await ingest.receive([record(6)]) == .accepted)
        #expect(await run(ingest, world) == [.expected(1)])
        #expect(ingest.next == 1)
    }

    @Test func `an outage keeps the records and tries again`() async throws {
        let (world, ingest) = running()
        world.store.failure = .unavailable("down")
        #expect(await ingest.receive([record(1)]) == .accepted)
        var answers: [LogIngest.Answer] = []
        var waits = 0
        world.onWait = {
            waits += 1
            if waits == 2 { world.store.failure = nil }
            if waits == 3 { ingest.close() }
            return waits > 2
        }
        await ingest.run { answers.append($0) }
        #expect(answers == [.delayed(.unavailable("down")), .durable(1)])
    }

    @Test func `a worker that ignores its credit is refused and the pending records stay`() async {
        let (world, ingest) = running()
        var seq: UInt64 = 0
        var receipt = LogIngest.Receipt.accepted
        while receipt == .accepted, seq < 100 {
            seq += 1
            receipt = await ingest.receive([record(seq, bytes: LogRecord.maximumBytes)])
        }
        #expect(receipt == .overCredit)
        #expect(seq == UInt64(LogIngest.creditBytes / LogRecord.maximumBytes) + 1)
        #expect(await run(ingest, world).last == .durable(seq - 1))
    }

    @Test func `a full batch is written without waiting for its time`() async throws {
        let (world, ingest) = running()
        _ = await ingest.receive([record(1, bytes: 200_000), record(2, bytes: 200_000)])
        let start = world.clock.now
        #expect(await run(ingest, world) == [.durable(2)])
        #expect(world.clock.now == start)
    }

    @Test func `a flush is written without waiting for its time`() async throws {
        let (world, ingest) = running()
        _ = await ingest.receive([record(1)])
        ingest.flush()
        let start = world.clock.now
        #expect(await run(ingest, world) == [.durable(1)])
        #expect(world.clock.now == start)
    }
}
