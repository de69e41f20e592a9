import Bytes

/// The control lines that Errand sends to the CLI.
enum ClaudeControl {
    /// Answers a `can_use_tool` request.
    static func permission(_ answer: ClaudePermissions.Answer, requestID: String) -> [UInt8] {
        var body = JSONWriter()
        body.beginObject()
        switch answer {
        case .allow: body.member("behavior", "allow")
        case .deny(let reason):
            body.member("behavior", "deny")
            body.member("message", reason)
        }
        body.endObject()
        return response(requestID: requestID) { line in
            line.member("subtype", "success")
            line.member("request_id", requestID)
            line.memberRaw("response", body.bytes)
        }
    }

    /// Answers a request that Errand does not serve, so that the CLI does not wait for ever.
    static func unsupported(_ subtype: String, requestID: String) -> [UInt8] {
        response(requestID: requestID) { line in
            line.member("subtype", "error")
            line.member("request_id", requestID)
            line.member("error", "this host does not serve \(subtype)")
        }
    }

    /// Stops the running turn and drops what is queued behind it.
    static let interrupt: [UInt8] = {
        var line = JSONWriter()
        line.beginObject()
        line.member("type", "control_request")
        line.member("request_id", "errand-interrupt")
        line.key("request")
        line.beginObject()
        line.member("subtype", "interrupt")
        line.member("cancel_queued", true)
        line.endObject()
        line.endObject()
        return line.bytes + [UInt8(ascii: "\n")]
    }()

    private static func response(requestID: String, _ fill: (inout JSONWriter) -> Void) -> [UInt8] {
        var line = JSONWriter()
        line.beginObject()
        line.member("type", "control_response")
        line.key("response")
        line.beginObject()
        fill(&line)
        line.endObject()
        line.endObject()
        return line.bytes + [UInt8(ascii: "\n")]
    }
}
