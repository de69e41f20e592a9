import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

@Suite struct ValueTests {
    @Test func `values cross to the server and back unchanged`() async throws {
        try await withWorld(connections: 1) { world in
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            let statement = PostgresStatement(
                "round_trip",
                """
                select $1::uuid, $2::text, $3::smallint, $4::integer, $5::bigint, $6::boolean, $7::bytea,
                    $8::timestamptz, $9::text, ($10::uuid[])[2], ($11::text[])[2] is null, cardinality($12::bytea[]),
                    ($11::text[])[3], to_char($8::timestamptz, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
                """
            )
            let id = JobID(at: World.start)
            let times = [
                Timestamp(milliseconds: 1_790_000_000_123), Timestamp(milliseconds: -1),
                Timestamp(milliseconds: 946_684_799_999), Timestamp(milliseconds: -62_000_000_000_000),
            ]
            for time in times {
                let values: [PostgresValue] = [
                    .id(id), .text("é\u{1f600}'\"\\"), .smallint(-7), .integer(-70_000), .bigint(.min), .boolean(true),
                    .bytes([0, 255, 10]), .time(time), .text(""), .ids([JobID.lowest, id]),
                    .array(.text, [.text("a"), .null, .text("")]), .array(.bytes, [PostgresValue]()),
                ]
                let answer = try await session.run(PostgresGroup(nil, [statement(values)])).at(0)
                let row = try #require(try answer.first { row throws(StoreError) in try Everything(&row) })
                #expect(row.id == id && row.element == id)
                #expect(row.text == "é\u{1f600}'\"\\")
                #expect(row.numbers == [-7, -70_000, .min])
                #expect(row.flag && row.bytes == [0, 255, 10] && row.time == time && row.empty.isEmpty)
                #expect(row.isNull && row.length == 0 && row.last.isEmpty)
                if time.milliseconds > -60_000_000_000_000 { #expect(row.printed == time.rfc3339) }
            }
        }
    }

    private static func read<T: PostgresDecodable>(
        _ session: PostgresConnection,
        _ text: String,
        _ type: T.Type
    ) async throws -> Bool {
        let answer = try await session.run(PostgresStatement(text, text)())
        do throws(StoreError) {
            _ = try answer.rows { row throws(StoreError) in try row.value(type) }
            return true
        } catch {
            guard case .failed(_, "22000") = error else { throw error }
            return false
        }
    }

    @Test func `a column of another type or null is an error, not a crash`() async throws {
        try await withWorld(connections: 1) { world in
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            #expect(try await Self.read(session, "select 1", Int.self))
            #expect(try await !Self.read(session, "select null::integer", Int.self))
            #expect(try await !Self.read(session, "select 'abc'::text", Int.self))
            #expect(try await !Self.read(session, "select 1", JobID.self))
            #expect(try await !Self.read(session, "select -1", UInt64.self))
            #expect(try await !Self.read(session, "select '\\xff'::bytea", String.self))
            #expect(try await !Self.read(session, "select 1, 2", Bool.self))
        }
    }

    @Test func `a time is never rounded up, and what no calendar holds is held at its end`() {
        #expect(Timestamp(postgresMicroseconds: -1).milliseconds == 946_684_799_999)
        #expect(Timestamp(postgresMicroseconds: 999).milliseconds == 946_684_800_000)
        for end in [Int64.min, .max] {
            let held = Timestamp(postgresMicroseconds: Timestamp(milliseconds: end).postgresMicroseconds)
            #expect(abs(held.milliseconds) > 60_000_000_000_000)
        }
    }

    @Test func `a queue gives its elements in order through growth and removal`() {
        var queue = FirstInFirstOut<Int>()
        var expected: [Int] = []
        var generator = SystemRandomNumberGenerator()
        for number in 0..<5_000 {
            if UInt8.random(in: 0...9, using: &generator) < 6 {
                queue.append(number)
                expected.append(number)
            } else {
                #expect(queue.removeFirst() == (expected.isEmpty ? nil : expected.removeFirst()))
            }
            if number % 997 == 0 {
                queue.removeAll { $0 % 5 == 0 }
                expected.removeAll { $0 % 5 == 0 }
            }
            #expect(queue.count == expected.count && queue.first == expected.first)
        }
    }

    @Test func `a damaged chunk is noticed`() {
        let codec = ChunkCodec()
        let all = records(1...400)
        let chunk = codec.pack(all[...])
        #expect(chunk.codec == .zstd)
        #expect(codec.unpack(chunk.data, codec: .zstd) == all)
        let one = codec.pack(all[..<1])
        #expect(one.codec == .plain)
        #expect(codec.unpack(one.data, codec: .plain) == records(1...1))
        for place in [0, 4, chunk.data.count / 2, chunk.data.count - 1] {
            var damaged = chunk.data
            damaged[place] ^= 0x41
            #expect(codec.unpack(damaged, codec: .zstd) != all)
        }
        #expect(codec.unpack(Array(chunk.data.dropLast()), codec: .zstd) == nil)
        #expect(codec.unpack([], codec: .zstd) == nil)
        #expect(codec.unpack([1, 2, 3], codec: .plain) == nil)
    }
}

/// A row with every type that is used.
private struct Everything {
    let id: JobID
    let text: String
    let numbers: [Int64]
    let flag: Bool
    let bytes: [UInt8]
    let time: Timestamp
    let empty: String
    let element: JobID
    let isNull: Bool
    let length: Int
    let last: String
    let printed: String

    init(_ row: inout PostgresRow) throws(StoreError) {
        id = try row.value()
        text = try row.value()
        numbers = [try row.value(), try row.value(), try row.value()]
        flag = try row.value()
        bytes = try row.value()
        time = try row.value()
        empty = try row.value()
        element = try row.value()
        isNull = try row.value()
        length = try row.value()
        last = try row.value()
        printed = try row.value()
    }
}
