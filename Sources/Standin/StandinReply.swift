package import Bytes

/// A piece of an answer.
package enum StandinBlock: Sendable, Equatable {
    /// Text, in the pieces in which it is streamed.
    case text([String])
    /// A call of one of the agent's tools.
    case toolUse(name: String, input: JSONObject)
}

/// What the stand-in answers to one request.
package struct StandinReply: Sendable, Equatable {
    /// How the answer ends.
    package enum Ending: Sendable, Equatable {
        case whole
        /// Silence after the answer has begun.
        case stall
        /// A dropped connection after the answer has begun.
        case cut
        /// No answer but this status.
        case error(status: Int, message: String)
    }

    /// How long the model thinks first.
    package var wait: Duration
    package var blocks: [StandinBlock]
    package var ending: Ending
    /// The model that was asked for.
    package var model: String
    /// Whether the answer was asked for as a stream of events.
    package var isStreamed: Bool
    package var inputTokens: Int

    /// A rough count, as four bytes a token.
    package var outputTokens: Int {
        blocks.reduce(1) { sum, block in
            switch block {
            case .text(let pieces): sum + pieces.reduce(0) { $0 + $1.utf8.count } / 4
            case .toolUse(let name, let input): sum + (name.utf8.count + JSONValue.object(input).encoded().count) / 4
            }
        }
    }

    /// Why the answer stops here.
    package var stopReason: String {
        blocks.contains { if case .toolUse = $0 { true } else { false } } ? "tool_use" : "end_turn"
    }
}

/// A refusal in the form of the Messages API.
package struct StandinError: Error, Sendable, Equatable {
    package let status: Int
    package let message: String

    /// Names a refusal.
    package init(status: Int, message: String) {
        self.status = status
        self.message = message
    }

    /// The document that a client gets.
    package func encoded(requestID: String) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", "error")
        json.key("error")
        json.beginObject()
        json.member("type", Self.type(of: status))
        json.member("message", message)
        json.endObject()
        json.member("request_id", requestID)
        json.endObject()
        return json.bytes
    }

    private static func type(of status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 529: "overloaded_error"
        case 500...: "api_error"
        default: "invalid_request_error"
        }
    }
}
