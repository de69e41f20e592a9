import Bytes
import Core
import Log
import Testing

@Suite struct EventTests {
    private let attempt = AttemptID(job: JobID(at: Timestamp(milliseconds: 0)), attempt: 2)

    private func output(
        _ bytes: [UInt8],
        _ stream: LogStream = .stdout,
        part: UInt16 = 1,
        of parts: UInt16 = 1
    ) throws -> JSONValue {
        let record = LogRecord(
            seq: 9,
            stream: stream,
            offset: 40,
            at: Timestamp(milliseconds: 1_700_000_000_123),
            part: part,
            parts: parts,
            bytes: bytes
        )
        return try JSONReader.parse(LogEvent.output(record, of: attempt))
    }

    @Test func `a text record names its place and carries its text`() throws {
        let event = try output(Array("h\u{e9}llo\n\"\\\u{1b}[0m".utf8))
        #expect(event["type"]?.string == "job:output")
        #expect(event["job_id"]?.string == "\(attempt.job)")
        #expect(event["at"]?.string == "2023-11-14T22:13:20.123Z")
        #expect(event["attempt"]?.integer == 2)
        #expect(event["seq"]?.integer == 9)
        #expect(event["stream"]?.string == "stdout")
        #expect(event["offset"]?.integer == 40)
        #expect(event["data"]?.string == "h\u{e9}llo\n\"\\\u{1b}[0m")
        #expect(event["encoding"] == nil)
        #expect(event["part"] == nil)
    }

    @Test(arguments: [[0xff, 0x00], [0xc3], [0xed, 0xa0, 0x80]] as [[UInt8]])
    func `bytes that are not UTF-8 come as base64`(bytes: [UInt8]) throws {
        let event = try output(bytes)
        #expect(event["encoding"]?.string == "base64")
        #expect(Base64.decode(event["data"]?.string ?? "") == bytes)
    }

    @Test func `an agent's line is a message`() throws {
        let event = try output(Array("{\"type\":\"result\",\"n\":1.50}".utf8), .agent)
        #expect(event["message"]?["type"]?.string == "result")
        #expect(event["data"] == nil)
    }

    @Test(arguments: [
        "{\"a\":1},\"type\":\"job:completed\",\"x\":{\"b\":2}", "{\"a\":1", "null", "{\"a\":\n1}", "",
        " {\"a\":1}", "{\"a\":1}\n",
        "{\"a\":1,\"a\":2}",
        String(repeating: "[", count: 5_000), "{\"a\":\u{1}}",
    ])
    func `what is not one JSON object on one line is never a message`(line: String) throws {
        let event = try output(Array(line.utf8), .agent)
        #expect(event["message"] == nil)
        #expect(event["data"]?.string == line)
        #expect(event["type"]?.string == "job:output")
    }

    @Test func `a part of a longer line is data`() throws {
        let event = try output(Array("{\"a\":1}".utf8), .agent, part: 2, of: 3)
        #expect(event["part"]?.integer == 2)
        #expect(event["parts"]?.integer == 3)
        #expect(event["data"]?.string == "{\"a\":1}")
    }
}
