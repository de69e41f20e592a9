import Bytes
import Core
import Testing

@testable import Store

@Suite struct LogStoreTests {
    private static func running(_ world: World) async throws -> Job {
        let person = try await world.person()
        let lease = try await world.worker()
        try await world.submit([world.job(person)], by: person)
        return try await world.claimOne(lease)
    }

    /// A log of many streams, sizes and contents, as a worker cuts it.
    private static func log(_ count: Int) -> [LogRecord] {
        var ends: [LogStream: UInt64] = [:]
        return (1...count).map { number in
            let stream = LogStream.allCases[number * 7 % 5 % 4]
            let size = number % 13 == 0 ? 70_000 : number % 40
            let isText = number % 3 != 0
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: isText ? 97 + $0 % 20 : ($0 * 31) ^ number &* 17) }
            defer { ends[stream, default: 0] += UInt64(size) }
            return LogRecord(
                seq: UInt64(number),
                stream: stream,
                offset: ends[stream, default: 0],
                at: World.start.adding(seconds: number),
                part: 1,
                parts: UInt16(number % 2 + 1),
                bytes: bytes
            )
        }
    }

    @Test func `records come back as they were written, from any number on`() async throws {
        try await withWorld { world in
            let attempt = try await Self.running(world).current
            let all = Self.log(200)
            for start in stride(from: 0, to: 200, by: 29) {
                let part = Array(all[start..<min(start + 29, 200)])
                let durable = try await world.store.log.append(part, to: attempt)
                #expect(durable == part.last?.seq)
            }
            for seq: UInt64 in [1, 2, 29, 30, 31, 117, 200] {
                var read: [LogRecord] = []
                while true {
                    let next = try await world.store.log.read(
                        attempt,
                        from: (read.last?.seq ?? seq - 1) + 1,
                        maximumBytes: 100_000
                    )
                    if next.isEmpty { break }
                    #expect(next.dropLast().reduce(0) { $0 + $1.bytes.count } < 100_000)
                    read += next
                }
                #expect(read == Array(all[Int(seq - 1)...]), "from \(seq)")
            }
            #expect(try await world.store.log.read(attempt, from: 201, maximumBytes: 100).isEmpty)
            #expect(try await world.store.log.durable(attempt) == 200)
        }
    }

    @Test func `a byte of a stream is found wherever it is`() async throws {
        try await withWorld { world in
            let attempt = try await Self.running(world).current
            let all = Self.log(150)
            for start in stride(from: 0, to: 150, by: 10) {
                _ = try await world.store.log.append(Array(all[start..<start + 10]), to: attempt)
            }
            for stream in LogStream.allCases {
                let bytes = all.filter { $0.stream == stream }.flatMap(\.bytes)
                let length = try await world.store.log.length(attempt, stream: stream)
                #expect(length == UInt64(bytes.count))
                for offset in [0, 1, bytes.count / 3, bytes.count / 2, bytes.count - 1] {
                    let found = try await world.store.log.read(
                        attempt,
                        stream: stream,
                        fromOffset: UInt64(offset),
                        maximumBytes: 5_000
                    )
                    let first = try #require(found.first)
                    let skipped = offset - Int(first.offset)
                    #expect(skipped >= 0 && skipped < first.bytes.count)
                    let held = found.flatMap(\.bytes).dropFirst(skipped)
                    #expect(held.elementsEqual(bytes[offset..<(offset + held.count)]))
                    #expect(found.allSatisfy { $0.stream == stream })
                }
                let beyond = try await world.store.log.read(
                    attempt,
                    stream: stream,
                    fromOffset: length,
                    maximumBytes: 5_000
                )
                #expect(beyond.isEmpty)
            }
        }
    }

    @Test func `an append that does not fit on is answered with where to go on`() async throws {
        try await withWorld { world in
            let attempt = try await Self.running(world).current
            let log = world.store.log
            #expect(try await log.append([], to: attempt) == 0)
            #expect(try await log.append(records(2...3), to: attempt) == 0)
            #expect(try await log.append(records(1...3), to: attempt) == 3)
            #expect(try await log.append(records(1...3), to: attempt) == 3)
            #expect(try await log.append(records(2...5), to: attempt) == 3)
            #expect(try await log.append(records(5...6), to: attempt) == 3)
            // A hole within the call: what comes before it is kept.
            #expect(try await log.append(records(4...5) + records(9...9), to: attempt) == 5)
            #expect(try await log.append([], to: attempt) == 5)
            #expect(try await log.read(attempt, from: 1, maximumBytes: 1_000).map(\.seq) == [1, 2, 3, 4, 5])
            #expect(try await log.read(attempt, from: 1, maximumBytes: 1_000) == records(1...5))
        }
    }

    @Test func `a stale attempt writes nothing, and what is over stays readable`() async throws {
        try await withWorld { world in
            let job = try await Self.running(world)
            let log = world.store.log
            #expect(try await log.append(records(1...2), to: job.current) == 2)
            for foreign in [AttemptID(job: job.id, attempt: 2), AttemptID(job: JobID(at: World.start), attempt: 1)] {
                let written = try await log.append(records(1...1), to: foreign)
                let head = try await log.append([], to: foreign)
                #expect(written == nil && head == nil)
                #expect(try await log.durable(foreign) == 0)
            }
            _ = try await world.store.jobs.finish([job.end(lastSeq: 2)], now: World.start)
            let late = try await log.append(records(3...3), to: job.current)
            #expect(late == nil)
            #expect(try await log.read(job.current, from: 1, maximumBytes: 1_000) == records(1...2))
        }
    }

    @Test func `each attempt has a log of its own`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit([world.job(person)], by: person)
            let first = try await world.claimOne(lease)
            _ = try await world.store.log.append(records(1...5), to: first.current)
            _ = try await world.store.jobs.release([first.current], now: World.start)
            let second = try await world.claimOne(lease)
            _ = try await world.store.jobs.release([second.current], now: World.start)
            let third = try await world.claimOne(lease)
            _ = try await world.store.log.append(records(1...2, stream: .errand), to: third.current)
            let attempts = try await world.store.log.attempts(of: first.id)
            #expect(attempts.map(\.attempt) == [1, 2, 3])
            #expect(attempts.map(\.lastDurable) == [5, 0, 2])
            #expect(try await world.store.log.length(third.current, stream: .errand) == 6)
            #expect(try await world.store.log.length(third.current, stream: .stdout) == 0)
        }
    }

    @Test func `appends at once, of many jobs and twice the same, leave whole logs`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let lease = try await world.worker()
            try await world.submit((0..<20).map { _ in world.job(person) }, by: person)
            let jobs = try await world.claim(lease, 20)
            let second = try Store(configuration: StoreConfiguration(url: world.url), loop: world.loop)
            try await second.start()
            for round: UInt64 in 0..<5 {
                let part = records(round * 10 + 1...round * 10 + 10)
                let durable = try await world.atOnce(60) { index in
                    let store = index % 3 == 0 ? second : world.store
                    return try await store.log.append(part, to: jobs[index / 3].current)
                }
                #expect(durable.allSatisfy { $0 == round * 10 + 10 })
            }
            await second.close()
            for job in jobs {
                let read = try await world.store.log.read(job.current, from: 1, maximumBytes: 1 << 20)
                #expect(read == records(1...50))
            }
        }
    }

    @Test func `large records are cut into chunks that compress`() async throws {
        try await withWorld { world in
            let attempt = try await Self.running(world).current
            let text = Array("2026-01-01T00:00:00Z compiling module number 17 of 99, nothing to report\n".utf8)
            let size = LogRecord.maximumBytes
            let all = (0..<8).map { index in
                LogRecord(
                    seq: UInt64(index + 1),
                    stream: .stdout,
                    offset: UInt64(index * size),
                    at: World.start,
                    bytes: (0..<size).map { text[$0 % text.count] }
                )
            }
            #expect(try await world.store.log.append(all, to: attempt) == 8)
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            let sizes = PostgresStatement(
                "sizes",
                "select count(*), sum(octet_length(data)), sum(raw_bytes)::bigint from job_output"
            )
            let stored = try await session.run(PostgresGroup(.system, [sizes()])).at(0).first {
                row throws(StoreError) in
                [try row.value(Int.self), try row.value(Int.self), try row.value(Int.self)]
            }
            let (chunks, packed, raw) = (stored?[0] ?? 0, stored?[1] ?? 0, stored?[2] ?? 0)
            #expect(chunks == 8 && raw == 8 * size && packed < raw / 50)
            let last = try await world.store.log.read(
                attempt,
                stream: .stdout,
                fromOffset: UInt64(8 * size - 1),
                maximumBytes: 10
            )
            #expect(last == [all[7]])
        }
    }
}
