import Bytes
import Core

extension APIControlMessage {
    /// The JSON text of this message.
    package func encoded() -> [UInt8] {
        switch self {
        case .welcome(let welcome): welcome.encoded()
        case .claimed(let jobs):
            JSONWriter.message("claimed") { writer in
                writer.key("jobs")
                writer.beginArray()
                for job in jobs { job.write(to: &writer) }
                writer.endArray()
            }
        case .beatAck(let serial, let cancelled, let stale):
            JSONWriter.message("beat_ack") { writer in
                writer.member("serial", serial)
                writer.attempts("cancelled", cancelled)
                writer.attempts("stale", stale)
            }
        case .finished(let answers):
            JSONWriter.message("finished") { writer in
                writer.key("ends")
                writer.beginArray()
                for answer in answers {
                    writer.beginObject()
                    writer.member("attempt", answer.attempt.description)
                    writer.member("verdict", answer.verdict.rawValue)
                    writer.endObject()
                }
                writer.endArray()
            }
        case .cancel(let job):
            JSONWriter.message("cancel") { $0.member("job", job.description) }
        case .workspace(let request):
            JSONWriter.message("workspace") { writer in
                writer.member("transfer", request.transfer)
                writer.member("project", request.project.description)
                writer.member("direction", request.direction.rawValue)
            }
        case .remove(let projects):
            JSONWriter.message("remove") { $0.ids("projects", projects) }
        case .goodbye(let reason):
            JSONWriter.message("goodbye") { $0.member("reason", reason.rawValue) }
        }
    }

    /// Reads the JSON text of a message.
    package init(decoding bytes: [UInt8]) throws(LinkError) {
        let (type, value) = try openControlFrame(bytes)
        switch type {
        case "welcome": self = .welcome(try WelcomeMessage(value))
        case "claimed":
            let fields = try LinkFields(value, path: "", allowed: ["type", "jobs"])
            let jobs = try fields.array("jobs", limit: LinkProtocol.attempts)
            self = .claimed(try jobs.map { job throws(LinkError) in try JobAssignment(job) })
        case "beat_ack":
            let fields = try LinkFields(value, path: "", allowed: ["type", "serial", "cancelled", "stale"])
            self = .beatAck(
                serial: try fields.integer("serial", in: 0...UInt64(Int64.max)),
                cancelled: try fields.attempts("cancelled"),
                stale: try fields.attempts("stale")
            )
        case "finished":
            let fields = try LinkFields(value, path: "", allowed: ["type", "ends"])
            let ends = try fields.array("ends", limit: LinkProtocol.attempts)
            self = .finished(try ends.map { end throws(LinkError) in try FinishAnswer(end) })
        case "cancel":
            let fields = try LinkFields(value, path: "", allowed: ["type", "job"])
            self = .cancel(try fields.id("job", as: JobNoun.self))
        case "workspace":
            let fields = try LinkFields(value, path: "", allowed: ["type", "transfer", "project", "direction"])
            self = .workspace(
                WorkspaceRequest(
                    transfer: try fields.integer("transfer", in: 0...UInt64(Int64.max)),
                    project: try fields.id("project", as: ProjectNoun.self),
                    direction: try fields.word("direction", as: WorkspaceDirection.self)
                )
            )
        case "remove":
            let fields = try LinkFields(value, path: "", allowed: ["type", "projects"])
            self = .remove(try fields.ids("projects", as: ProjectNoun.self, limit: LinkProtocol.removals))
        case "goodbye":
            let fields = try LinkFields(value, path: "", allowed: ["type", "reason"])
            self = .goodbye(try fields.word("reason", as: GoodbyeReason.self))
        default: throw LinkError(.unknownType, String(type.prefix(32)))
        }
    }
}

extension FinishAnswer {
    fileprivate init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(value, path: "ends", allowed: ["attempt", "verdict"])
        self.init(
            attempt: try fields.attempt("attempt"),
            verdict: try fields.word("verdict", as: FinishVerdict.self)
        )
    }
}

extension WelcomeMessage {
    fileprivate func encoded() -> [UInt8] {
        JSONWriter.message("welcome") { writer in
            writer.member("worker", lease.worker.description)
            writer.member("epoch", lease.epoch)
            writer.member("ttl_ms", timeToLiveMilliseconds)
            writer.member("heartbeat_ms", heartbeatMilliseconds)
            writer.key("resume")
            writer.beginArray()
            for point in resume {
                writer.beginObject()
                writer.member("attempt", point.attempt.description)
                writer.member("durable", point.durable)
                writer.endObject()
            }
            writer.endArray()
            writer.attempts("cancelled", cancelled)
            writer.attempts("stale", stale)
        }
    }

    fileprivate init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(
            value,
            path: "",
            allowed: ["type", "worker", "epoch", "ttl_ms", "heartbeat_ms", "resume", "cancelled", "stale"]
        )
        let points = try fields.array("resume", limit: LinkProtocol.attempts)
        // An hour is far above any sensible lease; the floor keeps a worker from beating without pause.
        let times = 100...3_600_000
        self.init(
            lease: WorkerLease(
                worker: try fields.id("worker", as: WorkerNoun.self),
                epoch: try fields.integer("epoch", in: 0...Int64.max)
            ),
            timeToLiveMilliseconds: try fields.integer("ttl_ms", in: times),
            heartbeatMilliseconds: try fields.integer("heartbeat_ms", in: times),
            resume: try points.map { point throws(LinkError) in try ResumePoint(point) },
            cancelled: try fields.attempts("cancelled"),
            stale: try fields.attempts("stale")
        )
    }
}

extension ResumePoint {
    fileprivate init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(value, path: "resume", allowed: ["attempt", "durable"])
        self.init(
            attempt: try fields.attempt("attempt"),
            durable: try fields.integer("durable", in: 0...UInt64(Int64.max))
        )
    }
}
