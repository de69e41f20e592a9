import Bytes
package import Core

/// The one JSON form of a job: in answers, listings and streams alike.
package enum JobView {
    /// The document of one job.
    package static func document(_ job: Job) -> [UInt8] {
        var writer = JSONWriter(reserving: 1_024)
        write(job, to: &writer)
        return writer.bytes
    }

    /// Writes one job as an object; values of environment variables and standard input are never shown.
    static func write(_ job: Job, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", job.id.description)
        writer.member("team_id", job.teamID.description)
        writer.member("project_id", job.projectID.description)
        writer.member("submitted_by", job.submittedBy.description)
        writer.member("kind", job.work.kind.rawValue)
        writer.member("state", job.state.rawValue)
        writer.member("reason", job.reason?.rawValue)
        writer.member("reason_text", job.reasonText)
        writer.member("priority", job.priority)
        writer.member("workspace", job.workspace.rawValue)
        writer.member("policy", job.policy.rawValue)
        writer.member("attempt", job.attempt)
        writer.member("max_attempts", job.maxAttempts)
        writer.member("timeout_seconds", job.timeoutSeconds)
        writer.member("worker_id", job.workerID?.description)
        writer.member("model_key", job.modelKey?.rawValue)
        writer.member("created_at", job.createdAt)
        writer.member("run_at", job.runAt)
        writer.member("started_at", job.startedAt)
        writer.member("finished_at", job.finishedAt)
        writer.member("cancel_requested_at", job.cancelRequestedAt)
        switch job.work {
        case .claude(let spec):
            writer.member("prompt", spec.prompt)
            writer.member("model", spec.model)
            writer.member("max_turns", spec.maxTurns)
        case .command(let spec):
            writer.key("argv")
            writer.beginArray()
            for argument in spec.argv { writer.string(argument) }
            writer.endArray()
            writer.key("env_names")
            writer.beginArray()
            for name in spec.environment.keys.sorted() { writer.string(name) }
            writer.endArray()
        }
        writer.key("result")
        if let result = job.result { write(result, to: &writer) } else { writer.null() }
        writer.key("log")
        if let end = job.logEnd { write(end, to: &writer) } else { writer.null() }
        writer.endObject()
    }

    private static func write(_ result: JobResult, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("exit_code", result.exitCode)
        writer.member("signal", result.signal)
        writer.member("cost_micro_usd", result.costMicroUSD)
        writer.member("input_tokens", result.inputTokens)
        writer.member("output_tokens", result.outputTokens)
        writer.member("turns", result.turns)
        writer.member("duration_ms", result.durationMilliseconds)
        writer.member("agent_version", result.agentVersion)
        writer.member("agent_session", result.agentSession)
        writer.member("model", result.model)
        writer.member("isolation", result.isolation)
        writer.endObject()
    }

    private static func write(_ end: LogEnd, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("records", Int64(end.lastSeq))
        writer.member("bytes", Int64(end.bytes))
        writer.member("sha256", Hex.encode(end.sha256))
        writer.endObject()
    }
}
