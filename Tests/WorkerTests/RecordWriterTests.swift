import Bytes
import Core
import Crypto
import Platform
import Testing

@testable import Worker

/// A writer with a clock that the test moves.
private struct Desk {
    var writer = RecordWriter()
    var now = Instant(nanoseconds: 1_000_000_000)
    var records: [LogRecord] = []

    mutating func put(_ stream: LogStream, _ bytes: [UInt8]) {
        records += writer.append(stream, bytes, now: now, at: Timestamp(milliseconds: 0)).map(\.record)
    }

    mutating func put(_ stream: LogStream, _ text: String) { put(stream, Array(text.utf8)) }

    mutating func flush() { records += writer.flush(now: now, at: Timestamp(milliseconds: 0)).map(\.record) }

    mutating func pass(_ duration: Duration) { now = now.advanced(by: duration) }
}

@Suite struct RecordWriterTests {
    @Test func `the first bytes after a pause go out at once`() {
        var desk = Desk()
        desk.put(.stdout, "a")
        #expect(desk.records.count == 1)
        desk.pass(.milliseconds(20))
        desk.put(.stdout, "b")
        #expect(desk.records.count == 2)
    }

    @Test func `what follows quickly is gathered until the deadline`() {
        var desk = Desk()
        desk.put(.stdout, "a")
        for _ in 0..<10 { desk.put(.stdout, "b") }
        #expect(desk.records.count == 1)
        #expect(desk.writer.deadline == desk.now.advanced(by: .milliseconds(20)))
        desk.flush()
        #expect(desk.records.map(\.bytes.count) == [1, 10])
        #expect(desk.writer.deadline == nil)
    }

    @Test func `gathered bytes go out when they are many`() {
        var desk = Desk()
        desk.put(.stdout, "a")
        desk.put(.stdout, [UInt8](repeating: 65, count: RecordWriter.flushBytes - 1))
        #expect(desk.records.count == 1)
        desk.put(.stdout, "b")
        #expect(desk.records.count == 2)
    }

    @Test func `a change of stream keeps the order`() {
        var desk = Desk()
        desk.put(.stdout, "1")
        desk.put(.stdout, "2")
        desk.put(.stderr, "3")
        desk.put(.stdout, "4")
        desk.flush()
        #expect(desk.records.map(\.stream) == [.stdout, .stdout, .stderr, .stdout])
        #expect(desk.records.map { String(decoding: $0.bytes, as: UTF8.self) } == ["1", "2", "3", "4"])
    }

    @Test func `a long agent line spans numbered parts`() {
        var desk = Desk()
        let line = (0..<(LogRecord.maximumBytes * 2 + 5)).map { UInt8(truncatingIfNeeded: $0) }
        desk.put(.agent, line)
        desk.put(.agent, "{}")
        desk.put(.agent, [])
        #expect(desk.records.map(\.part) == [1, 2, 3, 1, 1])
        #expect(desk.records.map(\.parts) == [3, 3, 3, 1, 1])
        #expect(desk.records.prefix(3).flatMap(\.bytes) == line)
        #expect(desk.records.allSatisfy { $0.bytes.count <= LogRecord.maximumBytes })
    }

    @Test(arguments: ["é", "€", "😀"])
    func `a character cut in two stays whole in one record`(_ character: String) {
        let bytes = Array(character.utf8)
        for cut in 1..<bytes.count {
            var desk = Desk()
            desk.put(.stdout, Array("a".utf8) + bytes[..<cut])
            desk.put(.stdout, Array(bytes[cut...]) + Array("b".utf8))
            desk.flush()
            #expect(desk.records.map { String(strictUTF8: $0.bytes) } == ["a", character + "b"])
        }
    }

    @Test func `half a character that never ends still comes out`() {
        var desk = Desk()
        desk.put(.stdout, [0xe2, 0x82])
        #expect(desk.records.isEmpty)
        #expect(desk.writer.deadline != nil)
        desk.flush()
        #expect(desk.records.map(\.bytes) == [[0xe2, 0x82]])
    }

    @Test func `bytes that are no text are not held back`() {
        var desk = Desk()
        desk.put(.stdout, [0xff, 0xfe, 0x80, 0x80, 0x80, 0x80])
        #expect(desk.records.map(\.bytes.count) == [6])
    }

    @Test func `numbers, offsets and the end follow from the bytes, whatever comes`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<4 {
            var desk = Desk()
            var expected: [LogStream: [UInt8]] = [:]
            for _ in 0..<300 {
                let stream = LogStream.allCases.randomElement(using: &random) ?? .stdout
                let size = Int.random(in: 0...(Bool.random() ? 10 : 2_000), using: &random)
                let bytes = (0..<size).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                desk.put(stream, bytes)
                expected[stream, default: []] += bytes
                desk.pass(.milliseconds(Int.random(in: 0...12, using: &random)))
            }
            desk.flush()
            #expect(desk.records.map(\.seq) == Array(1...UInt64(desk.records.count)))
            for stream in LogStream.allCases {
                let own = desk.records.filter { $0.stream == stream }
                var offset: UInt64 = 0
                for record in own {
                    #expect(record.offset == offset)
                    offset += UInt64(record.bytes.count)
                }
                #expect(own.flatMap(\.bytes) == expected[stream] ?? [])
            }
            let all = desk.records.flatMap(\.bytes)
            let end = desk.writer.tally.end
            #expect(
                end == LogEnd(lastSeq: UInt64(desk.records.count), bytes: UInt64(all.count), sha256: Digest.sha256(all))
            )
        }
    }

    @Test func `a tally survives its form on disk`() throws {
        var desk = Desk()
        desk.put(.stdout, "hello")
        desk.put(.agent, "{}")
        let kept = try #require(LogTally(decoding: desk.writer.tally.encoded))
        #expect(kept.end == desk.writer.tally.end)
        var again = RecordWriter(after: kept)
        let next = again.append(.stdout, [1], now: desk.now, at: Timestamp(milliseconds: 0)).map(\.record)
        #expect(next.map(\.seq) == [3])
        #expect(next.map(\.offset) == [5])
        #expect(LogTally(decoding: Array(desk.writer.tally.encoded.dropLast())) == nil)
    }
}
