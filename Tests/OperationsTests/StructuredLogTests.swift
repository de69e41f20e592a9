import Bytes
import Glibc
import Operations
import Platform
import Testing

@Suite(.timeLimit(.minutes(1)))
struct StructuredLogTests {
    @Test func `a line is a JSON object with time, level, message and fields`() throws {
        let captured = try CapturedLog()
        captured.log.info(
            "job \"done\"\n",
            .text("job_id", "job_1"),
            .integer("attempt", 2),
            .number("load", 0.5),
            .flag("ok", true),
            .seconds("took", .milliseconds(1500))
        )
        let line = try #require(try captured.lines().first)
        let value = try JSONReader.parse(Array(line.utf8))
        #expect(value["level"]?.string == "info")
        #expect(value["message"]?.string == "job \"done\"\n")
        #expect(value["job_id"]?.string == "job_1")
        #expect(value["attempt"]?.integer == 2)
        #expect(value["ok"]?.bool == true)
        #expect(value["took"]?.double == 1.5)
        #expect(value["time"]?.string.flatMap { Timestamp(rfc3339: $0) } != nil)
    }

    @Test func `lines below the level are left out`() throws {
        let captured = try CapturedLog(level: .warning)
        captured.log.info("quiet")
        captured.log.warning("loud")
        #expect(try captured.lines().count == 1)
    }

    @Test func `secrets do not appear, by name or by value`() throws {
        let captured = try CapturedLog()
        captured.log.conceal(Secret("sk-very-secret"))
        captured.log.info("asked with sk-very-secret", .text("url", "https://x/?k=sk-very-secret&y=sk-very-secret"))
        captured.log.info(
            "signed in",
            .text("refresh_token", "abc"),
            .text("Authorization", "abc"),
            .text("user", "abc")
        )
        captured.log.info("\(Secret("hidden-value"))")
        let text = try captured.lines().joined()
        #expect(!text.contains("very-secret"))
        #expect(!text.contains("hidden-value"))
        #expect(text.components(of: "abc") == 1)
    }

    @Test func `a reader that stands still costs lines, not time, and the loss is told`() throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw PlatformError(stage: "pipe", errno: errno) }
        let log = try StructuredLog(level: .info, descriptor: ends[1], capacity: 10_000)
        let start = Instant.now
        // More than the pipe and the buffers hold, then until the writer has come to stand as well.
        for _ in 0..<5000 { log.info("a line that nobody reads, as long as a line of a log usually is") }
        while log.droppedCount == 0 { log.info("one more") }
        #expect(Instant.now - start < .seconds(20))
        // The reader wakes up: what was kept comes out, then the count.
        let reader = Lock([UInt8]())
        var isTold = false
        while !isTold {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe read(ends[0], &chunk, chunk.count)
            reader.withLock { $0 += chunk.prefix(max(0, count)) }
            log.info("again")
            isTold = String(decoding: reader.withLock { $0 }, as: UTF8.self).contains("log lines dropped")
        }
        log.close()
        close(ends[0])
        close(ends[1])
    }

    @Test func `lines of many threads stay whole`() async throws {
        let captured = try CapturedLog()
        let log = captured.log
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask { @concurrent in
                    for number in 0..<200 { log.info("line", .integer("writer", writer), .integer("number", number)) }
                }
            }
        }
        let lines = try captured.lines()
        #expect(lines.count == 1600)
        for line in lines { _ = try JSONReader.parse(Array(line.utf8)) }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}
