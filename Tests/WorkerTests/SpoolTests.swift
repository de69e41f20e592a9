import Bytes
import Core
import Glibc
import Link
import Platform
import Testing

@testable import Worker

/// A spool with a writer, as an attempt has them.
private final class Bench {
    let loop: EventLoop
    let budget: SpoolBudget
    let spool: AttemptSpool
    let directory: SpoolDirectory
    private var writer = RecordWriter()
    /// Bytes of all frames that were put.
    private var framed = 0

    init(
        _ loop: EventLoop,
        _ path: String,
        limit: Int = 1 << 30,
        lagLimit: Duration = AttemptSpool.lagLimit
    ) async throws {
        self.loop = loop
        directory = SpoolDirectory(path: path)
        try await directory.create(Names.attempt)
        budget = SpoolBudget(limit: limit)
        let place = directory.place(Names.attempt)
        spool = AttemptSpool(
            attempt: Names.attempt,
            directory: place,
            budget: budget,
            loop: loop,
            lagLimit: lagLimit
        )
    }

    var end: LogEnd { writer.tally.end }

    /// Writes records of agent lines, each one record.
    @discardableResult
    func put(_ count: Int, size: Int = 10) -> Bool {
        framed += count * (LogRecordCodec.overhead + size)
        return (0..<count).allSatisfy { _ in
            let line = [UInt8](repeating: UInt8(truncatingIfNeeded: writer.tally.lastSeq), count: size)
            return spool.append(writer.append(.agent, line, now: loop.now, at: Timestamp(milliseconds: 1)))
        }
    }

    /// What a restarted worker finds.
    func recover() throws -> RecoveredSpool { try #require(try directory.recover().first) }

    /// Waits until everything is on disk.
    func settle() async throws {
        let isThere = await eventually(on: loop) { (try? self.writtenBytes()) == self.framed }
        try #require(isThere)
    }

    /// Bytes of frames in the segments that are there.
    private func writtenBytes() throws -> Int {
        try segments().reduce(0) { sum, name in
            let size = try Files.status(directory.place(Names.attempt) + "/" + name)?.size ?? 0
            return sum + Int(size) - SpoolSegment.headerLength
        }
    }

    func segments() throws -> [String] {
        try Files.list(directory.place(Names.attempt)).filter { $0.hasSuffix(".log") }
    }
}

/// The numbers of all records that the spool gives out, once they are on disk.
private func drain(_ spool: AttemptSpool, _ loop: EventLoop) async -> [UInt64] {
    var numbers: [UInt64] = []
    while !spool.isSent, await eventually(on: loop, { spool.hasUnsent }), let frames = await spool.takeUnsent() {
        numbers += LogRecordCodec.decode(frames)?.map(\.seq) ?? []
    }
    return numbers
}

@Suite struct SpoolTests {
    @Test func `records are given out once, in order, when a restart would find them`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            bench.put(5)
            #expect(await bench.spool.takeUnsent() == nil)
            #expect(!bench.spool.isSent)
            #expect(await eventually(on: loop) { bench.spool.hasUnsent })
            #expect(try bench.recover().tally.lastSeq >= 1)
            #expect(await drain(bench.spool, loop) == [1, 2, 3, 4, 5])
            #expect(await drain(bench.spool, loop).isEmpty)
            #expect(!bench.spool.isStored)
            bench.spool.acknowledge(5)
            #expect(bench.spool.isStored)
        }
    }

    @Test func `what is not stored is given out again after a rewind, also from disk`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            // Far more than is kept in memory.
            bench.put(100, size: 64 << 10)
            #expect(await drain(bench.spool, loop).count == 100)
            try await bench.settle()
            bench.spool.acknowledge(40)
            bench.spool.rewind(to: 41)
            let again = await drain(bench.spool, loop)
            #expect(again.suffix(60) == Array(41...100))
            #expect(bench.spool.failure == nil)
        }
    }

    @Test func `what the API does not store in time is forced to the disk at once, what it stores in time never`()
        async throws
    {
        try await onLoopWithDirectory { loop, path in
            try Files.createDirectory(path + "/lagging")
            try Files.createDirectory(path + "/stored")
            let lagging = try await Bench(loop, path + "/lagging", lagLimit: .milliseconds(20))
            let stored = try await Bench(loop, path + "/stored", lagLimit: .milliseconds(20))
            for bench in [lagging, stored] { bench.put(5) }
            #expect(await drain(stored.spool, loop) == [1, 2, 3, 4, 5])
            stored.spool.acknowledge(5)
            #expect(await eventually(on: loop) { lagging.spool.segments.allSatisfy { $0.syncedSize == $0.size } })
            #expect(lagging.spool.flushes == 1)
            // What comes later has its own time, and shares one flush.
            for _ in 0..<3 { lagging.put(3, size: 1_000) }
            #expect(lagging.spool.flushes == 1)
            #expect(await eventually(on: loop) { lagging.spool.flushes == 2 })
            #expect(await eventually(on: loop) { lagging.spool.segments.allSatisfy { $0.syncedSize == $0.size } })
            #expect(stored.spool.flushes == 0)
            #expect(stored.spool.segments.allSatisfy { $0.syncedSize == 0 })
            #expect(lagging.spool.failure == nil)
        }
    }

    @Test func `a flush of segments that were stored meanwhile is no failure`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            bench.put(100, size: 64 << 10)
            _ = await drain(bench.spool, loop)
            try await bench.settle()
            for name in try bench.segments() where name != "1.log" {
                try Files.remove(bench.directory.place(Names.attempt) + "/" + name)
            }
            await bench.spool.makeDurable()
            #expect(bench.spool.failure == nil && bench.spool.flushes == 1)
            await bench.spool.remove()
            await bench.spool.makeDurable()
            #expect(bench.spool.flushes == 1)
        }
    }

    @Test func `a disk that refuses a flush ends the log`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            bench.put(3)
            #expect(await eventually(on: loop) { !bench.spool.segments.isEmpty })
            // Not a file that can be opened as one: the flush fails as on a disk that is broken.
            let file = SpoolSegment.path(bench.directory.place(Names.attempt), 1)
            try Files.remove(file)
            #expect(unsafe symlink("/nowhere", file) == 0)
            await bench.spool.makeDurable()
            guard case .broken(let text) = bench.spool.failure else { throw Unexpected("no failure") }
            #expect(text.contains("1.log"))
        }
    }

    @Test func `stored segments leave the disk, the newest stays`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            for _ in 0..<15 {
                bench.put(10, size: 64 << 10)
                _ = await drain(bench.spool, loop)
                try await bench.settle()
            }
            #expect(try bench.segments().count > 2)
            let before = bench.budget.used
            bench.spool.acknowledge(bench.spool.lastSeq)
            let isFreed = await eventually(on: loop) { (try? bench.segments().count) == 1 }
            #expect(isFreed)
            #expect(bench.budget.used < before / 2)
            #expect(try bench.recover().tally.end == bench.end)
        }
    }

    @Test func `a restart finds the records that are not stored and the whole log's end`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            bench.put(100, size: 64 << 10)
            _ = await drain(bench.spool, loop)
            try await bench.settle()
            bench.spool.acknowledge(40)
            let found = try bench.recover()
            #expect(found.attempt == Names.attempt)
            #expect(found.tally.end == bench.end)
            let place = bench.directory.place(Names.attempt)
            let again = AttemptSpool(
                recovered: found,
                directory: place,
                budget: SpoolBudget(limit: 1 << 30),
                loop: loop
            )
            again.acknowledge(40)
            again.rewind(to: 41)
            #expect(await drain(again, loop).suffix(60) == Array(41...100))
            // The log goes on in a segment of its own.
            var writer = RecordWriter(after: found.tally)
            #expect(again.append(writer.append(.errand, [1], now: loop.now, at: Timestamp(milliseconds: 2))))
            #expect(await drain(again, loop) == [101])
            let isThere = await eventually(on: loop) { (try? bench.recover().tally.lastSeq) == 101 }
            #expect(isThere)
            await again.remove()
            #expect(try bench.directory.recover().isEmpty)
        }
    }

    @Test(arguments: [1, 10, 30, 47])
    func `a torn tail is cut at the last whole record`(_ lost: Int) async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            bench.put(3)
            try await bench.settle()
            let file = SpoolSegment.path(bench.directory.place(Names.attempt), 1)
            let whole = try Files.readAll(file, limit: 1 << 20)
            try Files.writeAtomically(file, Array(whole.dropLast(lost)))
            let found = try bench.recover()
            let size = LogRecordCodec.overhead + 10
            #expect(found.tally.lastSeq == UInt64(3 - (lost + size - 1) / size))
            try Files.writeAtomically(file, whole + [0, 0, 0, 9, 1, 2, 3])
            #expect(try bench.recover().tally.end == bench.end)
        }
    }

    @Test func `a flipped byte ends the log before it`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            bench.put(3)
            try await bench.settle()
            let file = SpoolSegment.path(bench.directory.place(Names.attempt), 1)
            let whole = try Files.readAll(file, limit: 1 << 20)
            let size = LogRecordCodec.overhead + 10
            for record in 0..<3 {
                var damaged = whole
                damaged[SpoolSegment.headerLength + record * size + size - 1] ^= 1
                try Files.writeAtomically(file, damaged)
                #expect(try bench.recover().tally.lastSeq == UInt64(record))
            }
            var damaged = whole
            damaged[20] ^= 1
            try Files.writeAtomically(file, damaged)
            #expect(try bench.recover().tally.lastSeq == 0)
        }
    }

    @Test func `no space means that the log ends before the record that did not fit`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path, limit: 10_000)
            let log = AttemptLog(spool: bench.spool, loop: loop)
            log.write(.agent, [UInt8](repeating: 1, count: 4_000))
            #expect(bench.spool.failure == nil)
            log.write(.agent, [UInt8](repeating: 2, count: 9_000))
            #expect(bench.spool.failure == .full)
            log.write(.agent, [3])
            let end = log.finish()
            #expect(end.lastSeq == 1)
            #expect(end.bytes == 4_000)
            #expect(await drain(bench.spool, loop) == [1])
            bench.spool.acknowledge(1)
            #expect(bench.spool.durable == end.lastSeq)
        }
    }

    @Test func `space comes back when a spool is removed`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            bench.put(100, size: 1_000)
            try await bench.settle()
            bench.put(5)
            #expect(bench.budget.used > 100_000)
            await bench.spool.remove()
            #expect(bench.budget.used == 0)
            #expect(try Files.list(path).isEmpty)
        }
    }

    @Test func `a position beyond what was ever written shows that the spool lost its end`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            bench.put(2)
            // The writer must not be at work any more when the directory goes.
            try await bench.settle()
            bench.spool.acknowledge(2)
            #expect(!bench.spool.isLost)
            bench.spool.acknowledge(3)
            #expect(bench.spool.isLost)
        }
    }

    @Test func `the end of an attempt is found again`() async throws {
        try await onLoopWithDirectory { loop, path in
            let bench = try await Bench(loop, path)
            let end = AttemptEnd(
                attempt: Names.attempt,
                state: .succeeded,
                reason: nil,
                reasonText: nil,
                result: JobResult(),
                logEnd: LogTally().end,
                didStart: true
            )
            #expect(try bench.recover().end == nil)
            try await bench.directory.keep(end)
            #expect(try bench.recover().end == end)
        }
    }

    @Test(arguments: ["", "x", "job_x.1", "lost+found", "\(Names.job).0", "\(Names.job).01", "\(Names.job)"])
    func `what is no attempt's directory is left alone`(_ name: String) {
        #expect(SpoolSegment.attempt(named: "\(Names.job).1") == Names.attempt)
        #expect(SpoolSegment.attempt(named: name) == nil)
    }
}
