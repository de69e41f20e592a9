import Bytes
import Core
import Crypto
import Log
import Testing

@testable import Commands

/// A job's stream as a server would send it.
private struct Stream {
    var events: [[UInt8]] = []
    private var bytes: [UInt8] = []
    private var seq: UInt64 = 0
    private let attempt = AttemptID(job: JobEventTests.job, attempt: 1)

    init(_ kind: JobKind) {
        let job = #"{"kind":"\#(kind.rawValue)","state":"running","cancel_requested_at":null,"reason_text":null}"#
        events.append(LogEvent.state(of: attempt.job, attempt: 1, at: JobEventTests.time, encodedJob: Array(job.utf8)))
        events.append(LogEvent.started(attempt, at: JobEventTests.time))
    }

    mutating func write(_ stream: LogStream, _ text: String) {
        seq += 1
        bytes += Array(text.utf8)
        events.append(LogEvent.output(JobEventTests.record(seq, stream, text), of: attempt))
    }

    mutating func end(_ fields: String) {
        let text =
            #"{"type":"job:completed","attempt":1,\#(fields),"records":\#(seq),"bytes":\#(bytes.count),"#
            + #""sha256":"\#(Hex.encode(Digest.sha256(bytes)))"}"#
        events.append(Array(text.utf8))
    }

    func shown(_ form: JobViewer.Form, style: OutputStyle = OutputStyle()) throws -> (viewer: JobViewer, shown: Shown) {
        var viewer = JobViewer(job: attempt.job, form: form, style: style)
        var pieces: [Rendered] = []
        for event in events { _ = try viewer.receive(event, into: &pieces) }
        return (viewer, Shown(pieces))
    }
}

/// What arrived on either output.
private struct Shown: Equatable {
    var result = ""
    var notes = ""

    init(_ pieces: [Rendered]) {
        for piece in pieces {
            switch piece {
            case .result(let bytes): result += String(decoding: bytes, as: UTF8.self)
            case .note(let bytes): notes += String(decoding: bytes, as: UTF8.self)
            case .status: break
            }
        }
    }
}

struct JobViewerTests {
    private static let deltas = ["I will ", "look."].map {
        #"{"type":"stream_event","event":{"type":"content_block_delta","delta":{"type":"text_delta","text":"\#($0)"}},"parent_tool_use_id":null}"#
    }
    private static let blockStart = #"{"type":"stream_event","event":{"type":"content_block_start","index":0}}"#

    private static func words(_ text: String) -> String {
        #"{"type":"assistant","message":{"content":[{"type":"text","text":"\#(text)"}]},"parent_tool_use_id":null}"#
    }

    private static let call =
        #"{"type":"assistant","message":{"content":[{"type":"tool_use","name":"Bash","input":{"command":"ls\n-la"}}]}}"#
    private static let callResult =
        #"{"type":"user","message":{"content":[{"type":"tool_result","content":"\u001b[1mtotal 8\na\nb","is_error":false}]}}"#

    private static var agent: Stream {
        var stream = Stream(.claude)
        stream.write(.agent, blockStart)
        for delta in deltas { stream.write(.agent, delta) }
        stream.write(.agent, words("I will look."))
        stream.write(.agent, call)
        stream.write(.agent, callResult)
        stream.write(.agent, words("Two files."))
        stream.write(.stdout, "Two files.\n")
        stream.end(#""state":"succeeded","cost_micro_usd":6400"#)
        return stream
    }

    @Test func `an agent's words and calls are notes, its answer is the result`() throws {
        let (viewer, shown) = try Self.agent.shown(.readable)
        #expect(shown.result == "Two files.\n")
        #expect(
            shown.notes == """
                I will look.
                → Bash: ls -la
                ← ^[[1mtotal 8 … 3 lines
                Two files.
                errand: succeeded, $0.0064

                """
        )
        #expect(viewer.exitCode == 0)
    }

    @Test func `on one terminal the answer is not shown twice`() throws {
        let style = OutputStyle(isResultTerminal: true, isNoteTerminal: true)
        let (_, shown) = try Self.agent.shown(.readable, style: style)
        #expect(shown.result.isEmpty)
        #expect(shown.notes.contains("Two files.\n"))
    }

    @Test func `an answer that differs from the last words is shown`() throws {
        var stream = Stream(.claude)
        stream.write(.agent, Self.words("Thinking aloud."))
        stream.write(.stdout, "The \u{1b}[31manswer.\n")
        stream.end(#""state":"succeeded""#)
        let style = OutputStyle(isResultTerminal: true, isNoteTerminal: true)
        #expect(try stream.shown(.readable, style: style).shown.result == "The ^[[31manswer.\n")
        #expect(try stream.shown(.readable).shown.result == "The \u{1b}[31manswer.\n")
    }

    @Test func `a command's streams go where they went, as they are`() throws {
        var stream = Stream(.command)
        stream.write(.stdout, "out \u{1b}[1m")
        stream.write(.stderr, "err\n")
        stream.write(.errand, "a limit\n")
        stream.end(#""state":"failed","reason_text":"exit code 3","exit_code":3"#)
        let (viewer, shown) = try stream.shown(.readable)
        #expect(shown.result == "out \u{1b}[1m")
        #expect(shown.notes == "err\nerrand: a limit\n")
        #expect(viewer.exitCode == 3)
    }

    @Test func `raw is what the job wrote and nothing else`() throws {
        let (_, shown) = try Self.agent.shown(.raw)
        #expect(shown.result.split(separator: "\n").map(String.init).last == Self.words("Two files."))
        #expect(shown.notes.isEmpty)
    }

    @Test func `events come out as they came in`() throws {
        let (viewer, shown) = try Self.agent.shown(.events)
        let lines = Self.agent.events.map { String(decoding: $0, as: UTF8.self) + "\n" }
        #expect(shown.result == lines.joined())
        #expect(viewer.exitCode == 0)
    }

    @Test(
        arguments: [
            (JobKind.command, #""state":"succeeded","exit_code":0"#, 0),
            (.command, #""state":"failed","exit_code":42"#, 42),
            (.command, #""state":"failed","signal":9"#, 137), (.command, #""state":"failed""#, 1),
            (.command, #""state":"failed","reason":"signal","signal":9"#, 137),
            (.command, #""state":"failed","reason":"worker_lost","signal":9"#, 1),
            (.command, #""state":"timed_out","signal":9"#, 124), (.command, #""state":"cancelled""#, 130),
            (.claude, #""state":"failed","exit_code":7"#, 1), (.claude, #""state":"timed_out""#, 124),
        ] as [(JobKind, String, Int32)]
    )
    func `the exit code tells how the job ended`(kind: JobKind, fields: String, code: Int32) throws {
        var stream = Stream(kind)
        stream.end(fields)
        #expect(try stream.shown(.readable).viewer.exitCode == code)
    }

    @Test func `a log that is not what the server vouches for is a failure`() throws {
        var stream = Self.agent
        stream.events.remove(at: stream.events.count - 2)
        let (viewer, shown) = try stream.shown(.readable)
        #expect(viewer.exitCode == 1)
        #expect(shown.notes.contains("WARNING: the log is not what the server vouches for"))
    }

    @Test(arguments: 0..<40)
    func `cuts at any place lose and repeat nothing`(seed: Int) throws {
        let whole = try Self.agent.shown(.readable)
        var random = Seeded(state: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1)
        var viewer = JobViewer(job: JobEventTests.job, form: .readable, style: OutputStyle())
        var pieces: [Rendered] = []
        while viewer.end == nil {
            // The server sends the state first and then what follows the position, or a little more.
            let position = viewer.position
            for (index, event) in Self.agent.events.enumerated() {
                guard case .output(let record, _) = try JobEvent(event) else {
                    if index == 1, position.seq > 0 { continue }
                    _ = try viewer.receive(event, into: &pieces)
                    continue
                }
                if record.seq + UInt64(seed % 3) <= position.seq { continue }
                if random.next() % 5 == 0 { break }
                #expect(try viewer.receive(event, into: &pieces) == .goOn)
            }
        }
        #expect(Shown(pieces) == whole.shown)
        #expect(viewer.exitCode == 0)
    }

    @Test func `a hole asks for another connection`() throws {
        var events = Self.agent.events
        events.remove(at: 4)
        var viewer = JobViewer(job: JobEventTests.job, form: .readable, style: OutputStyle())
        var pieces: [Rendered] = []
        for event in events[..<4] { #expect(try viewer.receive(event, into: &pieces) == .goOn) }
        guard case .reconnect = try viewer.receive(events[4], into: &pieces) else {
            Issue.record("the hole went unnoticed")
            return
        }
        #expect(viewer.position == LogPosition(attempt: 1, seq: 2))
    }
}

/// Numbers that a failing case can be repeated with.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
