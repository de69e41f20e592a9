import Bytes
import Core
import Log
import TestSupport
import Testing

@Suite struct OutputRangeTests {
    private func bytes(_ world: World, _ from: UInt64, _ to: UInt64 = .max) async throws -> [UInt8] {
        var range = OutputRange(world.attempt, from: from, to: to, store: world.store)
        var all: [UInt8] = []
        while let piece = try await range.next() { all += piece }
        return all
    }

    @Test(arguments: 0...12, 0...12) func `any range gives exactly its bytes`(from: Int, to: Int) async throws {
        let world = World()
        world.claim()
        world.write(["abc"])
        world.write(["skipped"], stream: .stderr)
        world.write(["d", "efgh", "ij"])
        world.persistAll()
        let whole = Array("abcdefghij".utf8)
        let expected = from < to ? Array(whole[min(from, 10)..<min(to, 10)]) : []
        #expect(try await bytes(world, UInt64(from), UInt64(to)) == expected)
    }

    @Test func `a long output comes in bounded pieces`() async throws {
        let world = World()
        world.claim()
        world.write((0..<64).map { String(repeating: "\($0 % 10)", count: 100_000) })
        world.persistAll()
        var range = OutputRange(world.attempt, from: 0, store: world.store)
        var size = 0
        while let piece = try await range.next() {
            #expect(piece.count <= 300_000)
            size += piece.count
        }
        #expect(size == 6_400_000)
    }

    @Test func `a hole is an error, never skipped`() async throws {
        let world = World()
        world.claim()
        world.write(["abc", "def", "ghi"])
        world.persistAll()
        world.store.forget(world.attempt, through: 2)
        #expect(try await bytes(world, 6) == Array("ghi".utf8))
        await #expect(throws: StoreError.self) { try await bytes(world, 0) }
    }

    @Test func `a transcript is one line per message whatever its parts`() async throws {
        let world = World()
        world.claim()
        var offset: UInt64 = 0
        var records: [LogRecord] = []
        for (text, part, parts) in [("{\"a\":1}", 1, 1), ("{\"b\":", 1, 2), ("2}", 2, 2), ("{\"c\":3}\n", 1, 1)] {
            records.append(
                LogRecord(
                    seq: UInt64(records.count + 1),
                    stream: .agent,
                    offset: offset,
                    at: world.clock.now,
                    part: UInt16(part),
                    parts: UInt16(parts),
                    bytes: Array(text.utf8)
                )
            )
            offset += UInt64(text.utf8.count)
        }
        world.store.insert(records, to: world.attempt)
        var transcript = Transcript(world.attempt, store: world.store)
        var text: [UInt8] = []
        while let piece = try await transcript.next() { text += piece }
        #expect(String(decoding: text, as: UTF8.self) == "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n")
    }
}
