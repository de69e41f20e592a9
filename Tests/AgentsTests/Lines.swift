import Core

@testable import Agents

/// Lines of the CLI as it writes them, shortened to what is read.
enum Lines {
    static let initialized =
        #"{"type":"system","subtype":"init","session_id":"s-1","model":"claude-opus-5-5","claude_code_version":"2.1.329"}"#
    static let bash =
        #"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"toolu_1","name":"Bash","input":{}}]}}"#
    static let bashResult =
        #"{"type":"user","message":{"content":[{"tool_use_id":"toolu_1","type":"tool_result","content":"hi"}]}}"#

    static func canUse(_ tool: String, needsPerson: Bool = false) -> String {
        #"{"type":"control_request","request_id":"q-1","request":{"subtype":"can_use_tool","tool_name":"\#(tool)","#
            + #""input":{},"requires_user_interaction":\#(needsPerson)}}"#
    }

    static func result(_ fields: String) -> String {
        #"{"num_turns":2,"total_cost_usd":0.0064,"usage":{"input_tokens":100,"cache_read_input_tokens":7,"#
            + #""output_tokens":20},"duration_ms":654,"type":"result",\#(fields)}"#
    }

    static let success = result(
        #""subtype":"success","is_error":false,"terminal_reason":"completed","result":"All done.""#
    )
}

extension ClaudeAgent {
    mutating func receive(_ lines: String...) -> [AgentAction] {
        lines.flatMap { receive(stdout: [UInt8](($0 + "\n").utf8)) }
    }
}

extension AgentAction {
    static func record(_ line: String) -> AgentAction { .record(.agent, [UInt8](line.utf8)) }

    /// The bytes of a record.
    var bytes: [UInt8] { if case .record(_, let bytes) = self { bytes } else { [] } }

    /// The text of a record.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The text of a line sent to the agent.
    var sent: String? { if case .send(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil } }
}
