import Bytes
import Core

extension JobResult {
    /// The text that is stored: what is known, and nothing else.
    var storedJSON: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if let exitCode { writer.member("exit_code", exitCode) }
        if let signal { writer.member("signal", signal) }
        if let costMicroUSD { writer.member("cost_micro_usd", costMicroUSD) }
        if let inputTokens { writer.member("input_tokens", inputTokens) }
        if let outputTokens { writer.member("output_tokens", outputTokens) }
        if let turns { writer.member("turns", turns) }
        if let durationMilliseconds { writer.member("duration_ms", durationMilliseconds) }
        if let agentVersion { writer.member("agent_version", agentVersion) }
        if let agentSession { writer.member("agent_session", agentSession) }
        if let model { writer.member("model", model) }
        if let isolation { writer.member("isolation", isolation) }
        writer.endObject()
        return writer.bytes
    }

    /// Reads what `storedJSON` wrote.
    init(stored value: JSONValue) {
        func whole(_ name: String) -> Int? { value[name]?.integer.map { Int($0) } }
        self.init()
        exitCode = whole("exit_code")
        signal = whole("signal")
        costMicroUSD = value["cost_micro_usd"]?.integer
        inputTokens = value["input_tokens"]?.integer
        outputTokens = value["output_tokens"]?.integer
        turns = whole("turns")
        durationMilliseconds = value["duration_ms"]?.integer
        agentVersion = value["agent_version"]?.string
        agentSession = value["agent_session"]?.string
        model = value["model"]?.string
        isolation = value["isolation"]?.string
    }
}
