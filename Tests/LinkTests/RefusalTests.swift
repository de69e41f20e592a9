import Core
import Link
import Testing

private let attempt = Samples.attempt.description

@Suite struct RefusalTests {
    @Test(arguments: [
        (#"{"type":"nonsense"}"#, LinkErrorCode.unknownType),
        (#"{"kind":"beat"}"#, .missingField),
        (#"{"type":"beat""#, .malformed),
        (#"[]"#, .missingField),
        (#"{"type":"beat","serial":1}"#, .missingField),
        (#"{"type":"beat","serial":1,"running":[],"more":1}"#, .unknownField),
        (#"{"type":"beat","serial":-1,"running":[]}"#, .invalidField),
        (#"{"type":"beat","serial":"1","running":[]}"#, .invalidField),
        (#"{"type":"beat","serial":1.0,"running":[]}"#, .invalidField),
        (#"{"type":"beat","serial":1,"running":["job_x/1"]}"#, .invalidField),
        (#"{"type":"claim","free":1025,"received":0}"#, .invalidField),
        (#"{"type":"claim","free":-1,"received":0}"#, .invalidField),
        (#"{"type":"workspace_done","transfer":1,"error":"odd","text":""}"#, .invalidField),
        (#"{"type":"removed","projects":["prj_x"]}"#, .invalidField),
        (#"{"type":"removed","projects":[1]}"#, .invalidField),
        (#"{"type":"removed","projects":"prj_x"}"#, .invalidField),
        (
            #"{"type":"hello","version":1,"resuming":null,"slots":1,"agent_version":null,"isolation":null}"#,
            .missingField
        ),
    ])
    func `a worker's malformed control message is refused`(_ text: String, _ code: LinkErrorCode) {
        let error = #expect(throws: LinkError.self) { try WorkerControlMessage(decoding: Array(text.utf8)) }
        #expect(error?.code == code)
    }

    @Test(arguments: ["/0", "/01", "/-1", "/+1", "/", "", "/1/1", "/99999999999", "/1 "])
    func `an attempt is written in one way only`(_ suffix: String) {
        let good = #"{"type":"started","attempt":"\#(Samples.job)/1"}"#
        #expect(throws: Never.self) { try WorkerControlMessage(decoding: Array(good.utf8)) }
        let bad = #"{"type":"started","attempt":"\#(Samples.job)\#(suffix)"}"#
        #expect(throws: LinkError.self) { try WorkerControlMessage(decoding: Array(bad.utf8)) }
    }

    @Test(arguments: JobState.allCases)
    func `an attempt ends in a final state only`(_ state: JobState) {
        let message = WorkerControlMessage.finish([Samples.end(state, reason: nil, result: JobResult())])
        let decoded = try? WorkerControlMessage(decoding: message.encoded())
        #expect((decoded != nil) == state.isFinal)
    }

    @Test(arguments: [
        (#""argv":["sh"],"env":{},"stdin":null"#, true),
        (#""argv":[],"env":{},"stdin":null"#, false),
        (#""argv":[""],"env":{},"stdin":null"#, false),
        (#""argv":["a\u0000b"],"env":{},"stdin":null"#, false),
        (#""argv":["sh"],"env":{"A=B":"1"},"stdin":null"#, false),
        (#""argv":["sh"],"env":{"":"1"},"stdin":null"#, false),
        (#""argv":["sh"],"env":{"A":1},"stdin":null"#, false),
        (#""argv":["sh"],"env":{"A":"\u0000"},"stdin":null"#, false),
        (#""argv":"sh","env":{},"stdin":null"#, false),
    ])
    func `a command is held to what the kernel takes`(_ fields: String, _ isFine: Bool) {
        let job =
            #"{"attempt":"\#(attempt)","project":"\#(Samples.project)","workspace":"none","policy":"ask","#
            + #""timeout_seconds":null,"model":null,"command":{\#(fields)}}"#
        let text = #"{"type":"claimed","jobs":[\#(job)]}"#
        #expect(((try? APIControlMessage(decoding: Array(text.utf8))) != nil) == isFine)
    }

    @Test func `a frame over the limit is refused before it is parsed`() {
        let bytes = [UInt8](repeating: 0x20, count: LinkProtocol.controlFrameBytes + 1)
        let error = #expect(throws: LinkError.self) { try APIControlMessage(decoding: bytes) }
        #expect(error?.code == .tooLarge)
        let bulk = [UInt8](repeating: 3, count: LinkProtocol.bulkFrameBytes + 1)
        #expect(throws: LinkError.self) { try APIBulkMessage(decoding: bulk) }
    }

    @Test func `a bulk frame that is cut or too long is refused`() throws {
        let whole = APIBulkMessage.durable(Samples.attempt, seq: 4).encoded()
        #expect(throws: Never.self) { try APIBulkMessage(decoding: whole) }
        for length in 0..<whole.count {
            #expect(throws: LinkError.self) { try APIBulkMessage(decoding: Array(whole.prefix(length))) }
        }
        #expect(throws: LinkError.self) { try APIBulkMessage(decoding: whole + [0]) }
    }
}
