package import Bytes
package import Core

/// The JSON events of a job's stream, as every client sees them.
package enum LogEvent {
    /// One record: `job:output`.
    package static func output(_ record: LogRecord, of attempt: AttemptID) -> [UInt8] {
        var writer = JSONWriter(reserving: record.bytes.count + record.bytes.count / 8 + 224)
        open(&writer, "job:output", attempt.job, record.at)
        writer.member("attempt", attempt.attempt)
        writer.member("seq", record.seq)
        writer.member("stream", record.stream.name)
        writer.member("offset", record.offset)
        if record.parts > 1 {
            writer.member("part", record.part)
            writer.member("parts", record.parts)
        }
        if record.stream == .agent, record.parts == 1, AgentMessage.isEmbeddable(record.bytes) {
            writer.memberRaw("message", record.bytes)
        } else {
            writer.key("data")
            if !writer.string(utf8: record.bytes) {
                writer.string(Base64.encode(record.bytes))
                writer.member("encoding", "base64")
            }
        }
        writer.endObject()
        return writer.bytes
    }

    /// The job as `GET` gives it, already encoded: `job:state`.
    package static func state(of job: JobID, attempt: Int, at time: Timestamp, encodedJob: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(reserving: encodedJob.count + 160)
        open(&writer, "job:state", job, time)
        writer.member("attempt", attempt)
        writer.memberRaw("job", encodedJob)
        writer.endObject()
        return writer.bytes
    }

    /// The work of an attempt began: `job:started`.
    package static func started(_ attempt: AttemptID, at time: Timestamp) -> [UInt8] {
        simple("job:started", attempt.job, time) { $0.member("attempt", attempt.attempt) }
    }

    /// The job is final and everything of its log was sent before: `job:completed`.
    package static func completed(_ job: Job, at time: Timestamp) -> [UInt8] {
        simple("job:completed", job.id, job.finishedAt ?? time) { writer in
            writer.member("attempt", job.attempt)
            writer.member("state", job.state.rawValue)
            writer.member("reason", job.reason?.rawValue)
            writer.member("reason_text", job.reasonText)
            writer.member("exit_code", job.result?.exitCode)
            writer.member("signal", job.result?.signal)
            writer.member("cost_micro_usd", job.result?.costMicroUSD)
            writer.member("records", job.logEnd?.lastSeq)
            writer.member("bytes", job.logEnd?.bytes)
            writer.member("sha256", job.logEnd.map { Hex.encode($0.sha256) })
        }
    }

    /// The job failed for a reason other than its own work's exit: `job:error`.
    package static func error(
        _ job: JobID,
        attempt: Int,
        at time: Timestamp,
        code: String,
        message: String?
    ) -> [UInt8] {
        simple("job:error", job, time) { writer in
            writer.member("attempt", attempt)
            writer.member("code", code)
            writer.member("message", message)
        }
    }

    /// Records of `cut` after its last durable one are void; what follows belongs to `attempt`: `reset`.
    package static func reset(to attempt: AttemptID, cut: LogPosition, at time: Timestamp) -> [UInt8] {
        simple("reset", attempt.job, time) { writer in
            writer.member("attempt", attempt.attempt)
            writer.member("last_durable", cut.seq)
            writer.member("last_durable_attempt", cut.attempt)
        }
    }

    /// Records that storage no longer has: `gap`.
    package static func gap(_ attempt: AttemptID, from first: UInt64, to last: UInt64, at time: Timestamp) -> [UInt8] {
        simple("gap", attempt.job, time) { writer in
            writer.member("attempt", attempt.attempt)
            writer.member("from", first)
            writer.member("to", last)
        }
    }

    private static func open(_ writer: inout JSONWriter, _ type: String, _ job: JobID, _ time: Timestamp) {
        writer.beginObject()
        writer.member("type", type)
        writer.member("job_id", "\(job)")
        writer.member("at", time)
    }

    private static func simple(
        _ type: String,
        _ job: JobID,
        _ time: Timestamp,
        _ members: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter()
        open(&writer, type, job, time)
        members(&writer)
        writer.endObject()
        return writer.bytes
    }
}
