import Bytes
import Core

extension AttemptEnd {
    /// Writes this end as one JSON object.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("attempt", attempt.description)
        writer.member("state", state.rawValue)
        writer.member("reason", reason?.rawValue)
        writer.member("reason_text", reasonText)
        writer.member("did_start", didStart)
        writer.key("log")
        writer.beginObject()
        writer.member("last_seq", logEnd.lastSeq)
        writer.member("bytes", logEnd.bytes)
        writer.member("sha256", Hex.encode(logEnd.sha256))
        writer.endObject()
        writer.key("result")
        result.write(to: &writer)
        writer.endObject()
    }

    /// Reads an end; only final states pass.
    init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(
            value,
            path: "ends",
            allowed: ["attempt", "state", "reason", "reason_text", "did_start", "log", "result"]
        )
        let state = try fields.word("state", as: JobState.self)
        guard state.isFinal else { throw LinkError(.invalidField, fields.path("state")) }
        self.init(
            attempt: try fields.attempt("attempt"),
            state: state,
            reason: try fields.optionalWord("reason", as: JobReason.self),
            reasonText: try fields.optionalText("reason_text", limit: LinkProtocol.textBytes),
            result: try JobResult(try fields.value("result")),
            logEnd: try LogEnd(try fields.value("log")),
            didStart: try fields.bool("did_start")
        )
    }
}

extension LogEnd {
    fileprivate init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(value, path: "ends.log", allowed: ["last_seq", "bytes", "sha256"])
        guard let digest = Hex.decode(try fields.text("sha256", limit: 64)), digest.count == 32 else {
            throw LinkError(.invalidField, fields.path("sha256"))
        }
        self.init(
            lastSeq: try fields.integer("last_seq", in: 0...UInt64(Int64.max)),
            bytes: try fields.integer("bytes", in: 0...UInt64(Int64.max)),
            sha256: digest
        )
    }
}

extension JobResult {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("exit_code", exitCode)
        writer.member("signal", signal)
        writer.member("cost_micro_usd", costMicroUSD)
        writer.member("input_tokens", inputTokens)
        writer.member("output_tokens", outputTokens)
        writer.member("turns", turns)
        writer.member("duration_ms", durationMilliseconds)
        writer.member("agent_version", agentVersion)
        writer.member("agent_session", agentSession)
        writer.member("model", model)
        writer.member("isolation", isolation)
        writer.endObject()
    }

    fileprivate init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(
            value,
            path: "ends.result",
            allowed: [
                "exit_code", "signal", "cost_micro_usd", "input_tokens", "output_tokens", "turns", "duration_ms",
                "agent_version", "agent_session", "model", "isolation",
            ]
        )
        self.init()
        exitCode = try fields.optionalInteger("exit_code", in: 0...255)
        signal = try fields.optionalInteger("signal", in: 1...64)
        costMicroUSD = try fields.optionalInteger("cost_micro_usd", in: 0...Int64.max)
        inputTokens = try fields.optionalInteger("input_tokens", in: 0...Int64.max)
        outputTokens = try fields.optionalInteger("output_tokens", in: 0...Int64.max)
        turns = try fields.optionalInteger("turns", in: 0...Int(Int32.max))
        durationMilliseconds = try fields.optionalInteger("duration_ms", in: 0...Int64.max)
        agentVersion = try fields.optionalText("agent_version", limit: LinkProtocol.nameBytes)
        agentSession = try fields.optionalText("agent_session", limit: LinkProtocol.nameBytes)
        model = try fields.optionalText("model", limit: LinkProtocol.nameBytes)
        isolation = try fields.optionalText("isolation", limit: LinkProtocol.textBytes)
    }
}
