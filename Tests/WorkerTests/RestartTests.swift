import Bytes
import Core
import Link
import Platform
import Testing

@testable import Worker

/// Leaves a spool as a worker does that dies while a job runs; gives its records.
private func leaveSpool(_ loop: EventLoop, _ path: String, end: AttemptEnd? = nil) async throws -> [LogRecord] {
    let directory = SpoolDirectory(path: path + "/spool")
    try await directory.create(Names.attempt)
    var writer = RecordWriter()
    let records = (0..<5).flatMap { number in
        writer.append(.agent, [UInt8(number)], now: loop.now, at: Timestamp(milliseconds: 1))
    }
    let before = try #require(records.first).before
    let raw = try SpoolSegment.create(SpoolSegment.path(directory.place(Names.attempt), 1), before: before)
    let file = OwnedDescriptor(raw)
    try SpoolSegment.append(LogRecordCodec.encode(records.map(\.record)), to: file.raw)
    if var end {
        end.logEnd = writer.tally.end
        try await directory.keep(end)
    }
    try Files.writeAtomically(path + "/session.json", Array(#"{"epoch":1}"#.utf8))
    return records.map(\.record)
}

/// An API that knows the session and the attempt of the spool.
private func knowingAPI(_ loop: EventLoop, _ path: String) async throws -> FakeAPI {
    let api = FakeAPI(loop)
    let empty = try ServiceBench(loop, path + "/before", api: api)
    try await empty.link()
    try await empty.stop()
    api.own(Names.attempt)
    return api
}

@Suite struct RestartTests {
    @Test func `a restarted worker sends what is left and reports the loss`() async throws {
        try await onLoopWithDirectory { loop, path in
            let api = try await knowingAPI(loop, path)
            let records = try await leaveSpool(loop, path)
            api.store(Array(records.prefix(2)), of: Names.attempt)
            let bench = try ServiceBench(loop, path, api: api)
            try await bench.link()
            #expect(api.hellos.last?.resuming == 1)
            #expect(api.hellos.last?.running == [Names.attempt])
            try await bench.until("reported") { api.ends.count == 1 && bench.table.held.isEmpty }
            let end = try #require(api.ends.first)
            #expect(end.state == .failed)
            #expect(end.reason == .workerLost)
            #expect(api.proves(end))
            #expect(api.text(Names.attempt, .errand).contains("restarted"))
            try await bench.until("spool gone") { (try? Files.list(path + "/spool").isEmpty) == true }
            try await bench.stop()
        }
    }

    @Test func `an end that was known before the restart is reported as it was`() async throws {
        try await onLoopWithDirectory { loop, path in
            let api = try await knowingAPI(loop, path)
            let known = AttemptEnd(
                attempt: Names.attempt,
                state: .succeeded,
                reason: nil,
                reasonText: nil,
                result: JobResult(),
                logEnd: LogTally().end,
                didStart: true
            )
            _ = try await leaveSpool(loop, path, end: known)
            let bench = try ServiceBench(loop, path, api: api)
            try await bench.link()
            try await bench.until("reported") { api.ends.count == 1 }
            #expect(api.ends.first?.state == .succeeded)
            #expect(api.proves(try #require(api.ends.first)))
            try await bench.stop()
        }
    }

    @Test func `a spool of an attempt that is no longer ours is deleted`() async throws {
        try await onLoopWithDirectory { loop, path in
            let api = try await knowingAPI(loop, path)
            _ = try await leaveSpool(loop, path)
            api.disown(Names.attempt)
            let bench = try ServiceBench(loop, path, api: api)
            try await bench.link()
            try await bench.until("forgotten") { bench.table.held.isEmpty }
            try await bench.until("spool gone") { (try? Files.list(path + "/spool").isEmpty) == true }
            #expect(api.ends.isEmpty)
            try await bench.stop()
        }
    }

    @Test func `a spool that lost its end gives the lease up instead of a false proof`() async throws {
        try await onLoopWithDirectory { loop, path in
            let api = try await knowingAPI(loop, path)
            var records = try await leaveSpool(loop, path)
            let last = try #require(records.last)
            records.append(LogRecord(seq: 6, stream: .agent, offset: last.offset + 1, at: last.at, bytes: [9]))
            api.store(records, of: Names.attempt)
            let bench = try ServiceBench(loop, path, api: api)
            bench.start()
            try await bench.until("a new lease") { api.epoch == 2 }
            #expect(api.hellos.last.map { $0.resuming == nil } ?? false)
            try await bench.until("forgotten") { bench.table.held.isEmpty }
            try await bench.until("kept") { EpochFile(path: path + "/session.json").load() == 2 }
            #expect(api.ends.isEmpty)
            try await bench.stop()
        }
    }
}
