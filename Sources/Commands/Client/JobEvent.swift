import Bytes
import Core

/// An event of a job's stream as the client reads it.
enum JobEvent: Equatable {
    case state(JobFacts)
    case started(attempt: Int)
    case output(LogRecord, of: Int)
    /// Records after `cut` are void; what follows belongs to `attempt`.
    case reset(attempt: Int, cut: LogPosition)
    /// Records that storage no longer has.
    case gap(attempt: Int, first: UInt64, last: UInt64)
    case failure(code: String, message: String?)
    case completed(JobEnd)
    /// The stream goes on under the token that the client sent.
    case authorised
    /// An event of a newer server.
    case unknown(String)

    /// A job's own document may carry a prompt of 1 MiB in which every byte is escaped.
    static let maximumBytes = 16 << 20
    /// The server embeds agents' messages up to a depth of 256; the event is around them.
    private static let limits = JSONLimits(maximumDepth: 300, maximumBytes: maximumBytes, maximumMembers: 1_000_000)

    /// Reads the text of one event.
    init(_ text: [UInt8]) throws(JobEventError) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONReader.parse(text, limits: Self.limits)
        } catch {
            throw JobEventError("not JSON: \(error)")
        }
        guard let type = json["type"]?.string else { throw JobEventError("it has no type") }
        switch type {
        case "job:state":
            // A newer server may know further states, which is no reason to stop reading.
            self = json["job"].flatMap { JobFacts($0) }.map { .state($0) } ?? .unknown(type)
        case "job:started": self = .started(attempt: try Self.attempt(json))
        case "job:output": self = .output(try Self.record(json, text), of: try Self.attempt(json))
        case "reset":
            let cut = LogPosition(
                attempt: Int(try Self.integer(json, "last_durable_attempt")),
                seq: UInt64(try Self.integer(json, "last_durable"))
            )
            self = .reset(attempt: try Self.attempt(json), cut: cut)
        case "gap":
            let first = UInt64(try Self.integer(json, "from"))
            let last = UInt64(try Self.integer(json, "to"))
            guard first <= last else { throw JobEventError("its gap is empty") }
            self = .gap(attempt: try Self.attempt(json), first: first, last: last)
        case "job:error": self = .failure(code: json["code"]?.string ?? "unknown", message: json["message"]?.string)
        case "auth_ok": self = .authorised
        case "job:completed":
            guard let end = JobEnd(json) else { throw JobEventError("its end is not readable") }
            self = .completed(end)
        default: self = .unknown(type)
        }
    }

    private static func record(_ json: JSONValue, _ text: [UInt8]) throws(JobEventError) -> LogRecord {
        guard let stream = LogStream.allCases.first(where: { $0.name == json["stream"]?.string }) else {
            throw JobEventError("its stream is unknown")
        }
        let part = UInt16(exactly: json["part"]?.integer ?? 1) ?? 0
        let parts = UInt16(exactly: json["parts"]?.integer ?? 1) ?? 0
        guard part >= 1, part <= parts else { throw JobEventError("its part is out of range") }
        return LogRecord(
            seq: UInt64(try integer(json, "seq")),
            stream: stream,
            offset: UInt64(try integer(json, "offset")),
            at: Timestamp(rfc3339: json["at"]?.string ?? "") ?? Timestamp(milliseconds: 0),
            part: part,
            parts: parts,
            bytes: try bytes(json, text)
        )
    }

    private static func bytes(_ json: JSONValue, _ text: [UInt8]) throws(JobEventError) -> [UInt8] {
        if case .object = json["message"], let range = JSONMemberRange.value(of: "message", in: text) {
            // Byte for byte, because the log's digest is over what the agent wrote.
            return Array(text[range])
        }
        guard let data = json["data"]?.string else { throw JobEventError("it has no data") }
        guard json["encoding"]?.string == "base64" else { return Array(data.utf8) }
        guard let bytes = Base64.decode(data) else { throw JobEventError("its data is not base64") }
        return bytes
    }

    private static func attempt(_ json: JSONValue) throws(JobEventError) -> Int {
        Int(try integer(json, "attempt"))
    }

    private static func integer(_ json: JSONValue, _ name: String) throws(JobEventError) -> Int64 {
        guard let value = json[name]?.integer, value >= 0 else { throw JobEventError("its \(name) is not a number") }
        return value
    }
}

/// Why an event of the stream cannot be read.
struct JobEventError: Error, CustomStringConvertible {
    let description: String

    init(_ reason: String) {
        description = "an event of the stream is malformed: \(reason)"
    }
}

/// What a viewer needs to know of a job's document.
struct JobFacts: Equatable {
    let kind: JobKind
    let state: JobState
    let reasonText: String?
    let isCancelRequested: Bool

    init?(_ job: JSONValue) {
        guard let kind = JobKind(rawValue: job["kind"]?.string ?? ""),
            let state = JobState(rawValue: job["state"]?.string ?? "")
        else { return nil }
        self.kind = kind
        self.state = state
        reasonText = job["reason_text"]?.string
        isCancelRequested = job["cancel_requested_at"]?.string != nil
    }
}

/// How a job ended, as `job:completed` tells it.
struct JobEnd: Equatable {
    let attempt: Int
    let state: JobState
    let reason: String?
    let reasonText: String?
    let exitCode: Int64?
    let signal: Int64?
    let costMicroUSD: Int64?
    /// What the log must come to; nil when nobody vouches for it.
    let log: LogEnd?

    init?(_ json: JSONValue) {
        guard let state = JobState(rawValue: json["state"]?.string ?? ""), state.isFinal else { return nil }
        self.state = state
        attempt = Int(json["attempt"]?.integer ?? 0)
        reason = json["reason"]?.string
        reasonText = json["reason_text"]?.string
        exitCode = json["exit_code"]?.integer
        signal = json["signal"]?.integer
        costMicroUSD = json["cost_micro_usd"]?.integer
        guard let records = json["records"]?.integer, let bytes = json["bytes"]?.integer, records >= 0, bytes >= 0,
            let digest = Hex.decode(json["sha256"]?.string ?? ""), digest.count == 32
        else {
            log = nil
            return
        }
        log = LogEnd(lastSeq: UInt64(records), bytes: UInt64(bytes), sha256: digest)
    }

    /// Whether the program's end is the reason of the job's.
    var endedByItself: Bool { reason == nil || reason == "exit_code" || reason == "signal" }

    /// The exit code for the shell: the command's own, or one that names the state.
    func exitCode(of kind: JobKind) -> Int32 {
        switch state {
        case .timedOut: return 124
        case .cancelled: return ExitCode.interrupted
        default: break
        }
        // How a program ended that Errand had stopped is not the program's own doing.
        if kind == .command, endedByItself {
            if let signal, (1...127).contains(signal) { return 128 + Int32(signal) }
            if let exitCode, let code = Int32(exactly: exitCode), (0...255).contains(code) { return code }
        }
        return state == .succeeded ? ExitCode.done : ExitCode.failed
    }
}
