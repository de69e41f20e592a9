import Bytes
import Core
import Platform
import Testing

@testable import Agents

@Suite struct ClaudeAgentTests {
    @Test func `a run is recorded line by line and ends with its answer`() {
        var agent = ClaudeAgent(policy: .contained)
        let actions = agent.receive(Lines.initialized, Lines.bash, Lines.bashResult, Lines.success)
        #expect(
            actions == [
                .record(Lines.initialized), .record(Lines.bash), .record(Lines.bashResult), .record(Lines.success),
                .answer("All done.\n"), .closeInput, .ended,
            ]
        )
        let outcome = agent.outcome(exit: .exited(0), killedBecause: nil)
        #expect(outcome.state == .succeeded)
        #expect(outcome.reason == nil)
        #expect(outcome.result.exitCode == 0)
        #expect(outcome.result.costMicroUSD == 6_400)
        #expect(outcome.result.inputTokens == 107)
        #expect(outcome.result.outputTokens == 20)
        #expect(outcome.result.turns == 2)
        #expect(outcome.result.durationMilliseconds == 654)
        #expect(outcome.result.agentVersion == "2.1.329")
        #expect(outcome.result.agentSession == "s-1")
        #expect(outcome.result.model == "claude-opus-5-5")
    }

    @Test(arguments: [
        #"{"type":"never_heard_of","x":1}"#, #"{"no":"type"}"#, #"{"type":7}"#, #"{"type":"assistant","message":5}"#,
        #"{"type":"control_request"}"#, #"{"type":"user","message":{"content":"text"}}"#,
    ])
    func `a line of an unknown shape is kept raw and nothing else happens`(line: String) {
        var agent = ClaudeAgent(policy: .contained)
        #expect(agent.receive(line) == [.record(line)])
    }

    @Test(arguments: ["plain words", "[1,2]", "{\"a\":1", "{\"a\":1,\"a\":2}", "\u{fffd}\u{1b}[31m"])
    func `what is no JSON object never reaches the agent stream`(line: String) {
        var agent = ClaudeAgent(policy: .contained)
        #expect(agent.receive(line) == [.record(.stderr, [UInt8]((line + "\n").utf8))])
    }

    @Test func `half a surrogate pair is repaired and the rest of the line is kept`() {
        var agent = ClaudeAgent(policy: .contained)
        let actions = agent.receive(#"{"type":"x","a":"\ud83d cut","b":"\ud83d\ude00 \\ud800 \n"}"#)
        #expect(actions == [.record(#"{"type":"x","a":"\ufffd cut","b":"\ud83d\ude00 \\ud800 \n"}"#)])
    }

    @Test func `a question about a tool with a broken text in it is answered all the same`() {
        var agent = ClaudeAgent(policy: .contained)
        let line = Lines.canUse("Bash").replacing(#""input":{}"#, with: #""input":{"command":"\udc00"}"#)
        #expect(agent.receive(line).last?.sent?.contains(#""behavior":"allow""#) == true)
    }

    @Test func `an unfinished last line is taken at the end of the output`() {
        var agent = ClaudeAgent(policy: .contained)
        #expect(agent.receive(stdout: [UInt8](Lines.success.utf8)) == [])
        #expect(agent.outputEnded().first == .record(Lines.success))
        #expect(agent.outputEnded() == [])
    }

    @Test func `a line over the limit is kept raw in pieces, named and not read`() {
        var agent = ClaudeAgent(policy: .contained)
        // A result that would end the run, if it were read.
        let line = [UInt8](Lines.success.replacing("All done.", with: String(repeating: "x", count: 4 << 20)).utf8)
        var actions: [AgentAction] = []
        for start in stride(from: 0, to: line.count, by: 65_536) {
            actions += agent.receive(stdout: [UInt8](line[start..<min(start + 65_536, line.count)]))
        }
        actions += agent.receive(stdout: [0x0a])
        let notes = actions.filter { if case .record(.errand, _) = $0 { true } else { false } }
        #expect(notes.count == 1 && notes.first == actions.first)
        #expect(notes.first?.text.contains("over 4194304 bytes long") == true)
        #expect(actions.dropFirst().allSatisfy { if case .record(.stderr, _) = $0 { true } else { false } })
        #expect(actions.dropFirst().flatMap(\.bytes) == line + [0x0a])
        #expect(agent.receive(Lines.success).contains(.ended))
    }

    @Test func `a line of more values than are read is kept raw and named`() {
        var agent = ClaudeAgent(policy: .contained)
        func line(_ count: Int) -> String {
            #"{"type":"x","a":["# + [String](repeating: "0", count: count).joined(separator: ",") + "]}"
        }
        #expect(agent.receive(line(199_997)) == [.record(line(199_997))])
        let actions = agent.receive(line(199_998))
        #expect(actions.first?.text.contains("too complex, for there are too many values") == true)
        #expect(actions.dropFirst() == [.record(.stderr, [UInt8]((line(199_998) + "\n").utf8))])
    }

    @Test func `an interrupt drops what is queued, and after the end there is nothing to interrupt`() {
        var agent = ClaudeAgent(policy: .contained)
        let line = agent.interrupt().first?.sent
        #expect(line?.contains(#""subtype":"interrupt","cancel_queued":true"#) == true)
        _ = agent.receive(Lines.initialized, Lines.success)
        #expect(agent.interrupt() == [])
    }

    @Test func `a request that Errand does not serve is refused rather than left open`() {
        var agent = ClaudeAgent(policy: .contained)
        let request = #"{"type":"control_request","request_id":"m-1","request":{"subtype":"mcp_message"}}"#
        let sent = agent.receive(request).last?.sent
        #expect(sent?.contains(#""subtype":"error","request_id":"m-1""#) == true)
    }

    @Test func `a second turn of its own accord is answered too and closes nothing twice`() {
        var agent = ClaudeAgent(policy: .contained)
        _ = agent.receive(Lines.initialized, Lines.success)
        #expect(agent.receive(Lines.initialized, Lines.success).suffix(1) == [.answer("All done.\n")])
        #expect(agent.outcome(exit: .exited(0), killedBecause: nil).result.turns == 4)
    }
}
