import Core
import Testing

@testable import Agents

/// One way in which a run ends, and what Errand makes of it.
struct Ending: Sendable, CustomTestStringConvertible {
    let name: String
    var lines: [String] = [Lines.initialized]
    var exit = AgentExit.exited(1)
    var killedBecause: JobReason?
    let state: JobState
    let reason: JobReason?
    var text: String?

    var testDescription: String { name }

    static func failure(_ fields: String) -> [String] {
        [Lines.initialized, Lines.result(#""subtype":"success","is_error":true,"# + fields)]
    }

    static let quota =
        #"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1795202207}}"#

    static let all: [Ending] = [
        Ending(name: "done", lines: [Lines.success], exit: .exited(0), state: .succeeded, reason: nil),
        Ending(name: "done, killed late", lines: [Lines.success], exit: .signaled(9), state: .succeeded, reason: nil),
        Ending(
            name: "timeout beats a result",
            lines: [Lines.success],
            exit: .signaled(9),
            killedBecause: .timeout,
            state: .timedOut,
            reason: .timeout
        ),
        Ending(
            name: "cancelled",
            exit: .signaled(15),
            killedBecause: .cancelledByUser,
            state: .cancelled,
            reason: .cancelledByUser
        ),
        Ending(
            name: "worker lost",
            exit: .signaled(9),
            killedBecause: .workerLost,
            state: .failed,
            reason: .workerLost
        ),
        Ending(
            name: "529",
            lines: failure(#""terminal_reason":"api_error","api_error_status":529,"result":"API Error: 529""#),
            state: .failed,
            reason: .agentFailed,
            text: "(api_error, status 529): API Error: 529"
        ),
        Ending(
            name: "401",
            lines: failure(#""terminal_reason":"api_error","api_error_status":401,"result":"Invalid API key""#),
            state: .failed,
            reason: .authFailed,
            text: "Invalid API key"
        ),
        Ending(
            name: "403",
            lines: failure(#""terminal_reason":"api_error","api_error_status":403"#),
            state: .failed,
            reason: .authFailed
        ),
        Ending(
            name: "no credentials",
            lines: [#"{"type":"assistant","error":"authentication_failed"}"#] + failure(#""result":"Not logged in""#),
            state: .failed,
            reason: .authFailed
        ),
        Ending(
            name: "429",
            lines: failure(#""terminal_reason":"api_error","api_error_status":429"#),
            state: .failed,
            reason: .waitingForQuota
        ),
        Ending(
            name: "quota window",
            lines: [quota] + failure(#""terminal_reason":"api_error""#),
            state: .failed,
            reason: .waitingForQuota,
            text: "until 2026-11-20T19:16:47.000Z"
        ),
        Ending(
            name: "quota warning, then done",
            lines: [quota, Lines.success],
            exit: .exited(0),
            state: .succeeded,
            reason: nil
        ),
        Ending(
            name: "blocking limit",
            lines: failure(#""terminal_reason":"blocking_limit""#),
            state: .failed,
            reason: .waitingForQuota
        ),
        Ending(
            name: "400",
            lines: failure(#""terminal_reason":"api_error","api_error_status":400"#),
            state: .failed,
            reason: .agentFailed
        ),
        Ending(
            name: "prompt too long",
            lines: failure(#""terminal_reason":"prompt_too_long","api_error_status":400"#),
            state: .failed,
            reason: .agentFailed,
            text: "prompt_too_long"
        ),
        Ending(
            name: "max turns",
            lines: [Lines.result(#""subtype":"error_max_turns","is_error":true,"terminal_reason":"max_turns""#)],
            state: .failed,
            reason: .limitReached,
            text: "error_max_turns"
        ),
        Ending(
            name: "interrupted",
            lines: [
                Lines.result(#""subtype":"error_during_execution","is_error":true,"terminal_reason":"aborted_tools""#)
            ],
            state: .cancelled,
            reason: .cancelledByUser
        ),
        Ending(
            name: "interrupted by SIGINT",
            lines: [
                Lines.result(
                    #""subtype":"error_during_execution","is_error":true,"terminal_reason":"aborted_streaming""#
                )
            ],
            exit: .exited(0),
            state: .cancelled,
            reason: .cancelledByUser
        ),
        Ending(
            name: "deferred",
            lines: [Lines.result(#""subtype":"success","is_error":false,"terminal_reason":"tool_deferred""#)],
            exit: .exited(0),
            state: .failed,
            reason: .agentFailed
        ),
        Ending(name: "no result, exit 1", state: .failed, reason: .agentCrashed, text: "exited with 1"),
        Ending(
            name: "no result, signal",
            exit: .signaled(11),
            state: .failed,
            reason: .agentCrashed,
            text: "signal 11"
        ),
        Ending(
            name: "no result, exit 0",
            exit: .exited(0),
            state: .failed,
            reason: .agentFailed,
            text: "without a result"
        ),
        Ending(
            name: "crash in a second turn",
            lines: [Lines.initialized, Lines.success, Lines.initialized],
            exit: .signaled(11),
            state: .failed,
            reason: .agentCrashed
        ),
        Ending(
            name: "a result without is_error",
            lines: [#"{"type":"result","subtype":"success"}"#],
            exit: .exited(0),
            state: .failed,
            reason: .agentFailed
        ),
    ]
}

@Suite struct ClaudeOutcomeTests {
    @Test(arguments: Ending.all)
    func `an ending is judged by the first rule that matches`(ending: Ending) {
        var agent = ClaudeAgent(policy: .contained)
        for line in ending.lines { _ = agent.receive(line) }
        let outcome = agent.outcome(exit: ending.exit, killedBecause: ending.killedBecause)
        #expect(outcome.state == ending.state)
        #expect(outcome.reason == ending.reason)
        #expect((outcome.reasonText != nil) == (ending.state != .succeeded))
        if let text = ending.text { #expect(outcome.reasonText?.contains(text) == true) }
    }

    @Test func `a crash quotes the last line of standard error in plain characters`() {
        var agent = ClaudeAgent(policy: .contained)
        let noise = [UInt8]("first\nerror: unknown option \u{1b}[31m'--x'\n".utf8)
        #expect(agent.receive(stderr: noise) == [.record(.stderr, noise)])
        let text = agent.outcome(exit: .exited(1), killedBecause: nil).reasonText
        #expect(text == "The agent exited with 1 without a result: error: unknown option  [31m'--x'")
    }

    @Test func `an error's text is no answer`() {
        var agent = ClaudeAgent(policy: .contained)
        let actions = agent.receive(Lines.result(#""subtype":"success","is_error":true,"result":"API Error: 529""#))
        #expect(actions.dropFirst() == [.closeInput, .ended])
    }

    @Test func `absurd figures of a hostile process are held within bounds`() {
        var agent = ClaudeAgent(policy: .contained)
        let line =
            #"{"type":"result","subtype":"success","is_error":false,"num_turns":9223372036854775807,"#
            + #""total_cost_usd":1e300,"usage":{"input_tokens":9223372036854775807,"output_tokens":-5},"duration_ms":-1}"#
        _ = agent.receive(line, line)
        let result = agent.outcome(exit: .exited(0), killedBecause: nil).result
        #expect(result.costMicroUSD == nil)
        #expect(result.outputTokens == 0)
        #expect(result.inputTokens == 1 << 51)
        #expect(result.durationMilliseconds == 0)
    }
}
