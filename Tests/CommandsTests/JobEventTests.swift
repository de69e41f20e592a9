import Bytes
import Core
import Log
import Testing

@testable import Commands

struct JobEventTests {
    static let job = JobID(at: Timestamp(milliseconds: 1_767_323_045_678))
    static let time = Timestamp(milliseconds: 1_767_323_045_678)

    static func record(_ seq: UInt64, _ stream: LogStream, _ text: String, offset: UInt64 = 0) -> LogRecord {
        LogRecord(seq: seq, stream: stream, offset: offset, at: time, bytes: Array(text.utf8))
    }

    @Test(arguments: [
        (LogStream.stdout, Array("plain\n".utf8)), (.stderr, Array("é\u{1b}[31m\u{0}\"\\\n".utf8)),
        (.stdout, [0xff, 0x00, 0xc3]),
        (.agent, Array(#"{"type":"x","message":{"a":[1,2,{"b":"}]"}]},"n":1.50,"e":"\u00e9\/"}"#.utf8)),
        (.agent, Array(#"  {"type":"spaced"} "#.utf8)), (.agent, Array("not json".utf8)), (.agent, Array("{}".utf8)),
        (.errand, Array("note".utf8)), (.stdout, []),
    ])
    func `a record comes out of its event byte for byte`(stream: LogStream, bytes: [UInt8]) throws {
        let record = LogRecord(seq: 7, stream: stream, offset: 42, at: Self.time, bytes: bytes)
        let event = LogEvent.output(record, of: AttemptID(job: Self.job, attempt: 3))
        #expect(try JobEvent(event) == .output(record, of: 3))
    }

    @Test func `the part of a long line keeps its number`() throws {
        let record = LogRecord(
            seq: 7,
            stream: .agent,
            offset: 0,
            at: Self.time,
            part: 2,
            parts: 3,
            bytes: Array(#"{"a""#.utf8)
        )
        let event = LogEvent.output(record, of: AttemptID(job: Self.job, attempt: 1))
        #expect(try JobEvent(event) == .output(record, of: 1))
    }

    @Test func `breaks in the log are read`() throws {
        let attempt = AttemptID(job: Self.job, attempt: 2)
        let cut = LogPosition(attempt: 1, seq: 9)
        #expect(try JobEvent(LogEvent.reset(to: attempt, cut: cut, at: Self.time)) == .reset(attempt: 2, cut: cut))
        #expect(
            try JobEvent(LogEvent.gap(attempt, from: 3, to: 5, at: Self.time)) == .gap(attempt: 2, first: 3, last: 5)
        )
        #expect(try JobEvent(LogEvent.started(attempt, at: Self.time)) == .started(attempt: 2))
    }

    @Test(arguments: ["job:future", "note"])
    func `an event of a newer server is passed over`(type: String) throws {
        #expect(try JobEvent(Array(#"{"type":"\#(type)","x":1}"#.utf8)) == .unknown(type))
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"type":1}"#, #"{"type":"job:output","attempt":1,"seq":1,"stream":"stdout","offset":0}"#,
        #"{"type":"job:output","attempt":1,"seq":-1,"stream":"stdout","offset":0,"data":""}"#,
        #"{"type":"job:output","attempt":1,"seq":1,"stream":"stdin","offset":0,"data":""}"#,
        #"{"type":"job:output","attempt":1,"seq":1,"stream":"stdout","offset":0,"encoding":"base64","data":"?"}"#,
        #"{"type":"job:output","attempt":1,"seq":1,"stream":"stdout","offset":0,"part":3,"parts":2,"data":""}"#,
        #"{"type":"reset","attempt":1,"last_durable":1}"#, #"{"type":"gap","attempt":1,"from":4,"to":3}"#,
        #"{"type":"job:completed","state":"running"}"#,
    ])
    func `a malformed event is refused`(text: String) {
        #expect(throws: JobEventError.self) { try JobEvent(Array(text.utf8)) }
    }

    @Test(arguments: [
        (#"{"message":{"a":1}}"#, #"{"a":1}"#),
        (#"{ "x" : "message" , "message" : [1, {"]":"\""}] }"#, #"[1, {"]":"\""}]"#),
        (#"{"a":{"message":1},"message":2}"#, "2"), (#"{"message":"a\\\"b","z":1}"#, #""a\\\"b""#),
        (#"{"message":null}"#, "null"),
        (#"{"a":"\"message\":3","message":4}"#, "4"),
    ])
    func `a member's text is found where it stands`(json: String, value: String) throws {
        let bytes = Array(json.utf8)
        let range = try #require(JSONMemberRange.value(of: "message", in: bytes))
        #expect(String(decoding: bytes[range], as: UTF8.self) == value)
    }

    @Test func `a member of an inner object is not taken for the outer one`() {
        #expect(JSONMemberRange.value(of: "message", in: Array(#"{"a":{"message":1}}"#.utf8)) == nil)
    }
}
