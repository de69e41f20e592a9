import Bytes
import Core

extension WorkerControlMessage {
    /// The JSON text of this message.
    package func encoded() -> [UInt8] {
        switch self {
        case .hello(let hello):
            JSONWriter.message("hello") { writer in
                writer.member("version", hello.version)
                writer.member("resuming", hello.resuming)
                writer.member("slots", hello.slots)
                writer.member("agent_version", hello.agentVersion)
                writer.member("isolation", hello.isolation)
                writer.attempts("running", hello.running)
            }
        case .claim(let free, let received):
            JSONWriter.message("claim") { writer in
                writer.member("free", free)
                writer.member("received", received)
            }
        case .beat(let serial, let running):
            JSONWriter.message("beat") { writer in
                writer.member("serial", serial)
                writer.attempts("running", running)
            }
        case .started(let attempt):
            JSONWriter.message("started") { $0.member("attempt", attempt.description) }
        case .finish(let ends):
            JSONWriter.message("finish") { writer in
                writer.key("ends")
                writer.beginArray()
                for end in ends { end.write(to: &writer) }
                writer.endArray()
            }
        case .release(let attempts, let reason):
            JSONWriter.message("release") { writer in
                writer.attempts("attempts", attempts)
                writer.member("reason", reason)
            }
        case .removed(let projects):
            JSONWriter.message("removed") { $0.ids("projects", projects) }
        case .workspaceDone(let transfer, let outcome):
            JSONWriter.message("workspace_done") { writer in
                writer.member("transfer", transfer)
                switch outcome {
                case .done(let bytes, let entries):
                    writer.member("bytes", bytes)
                    writer.member("entries", entries)
                case .failed(let failure, let text):
                    writer.member("error", failure.rawValue)
                    writer.member("text", text)
                }
            }
        }
    }

    /// Reads the JSON text of a message.
    package init(decoding bytes: [UInt8]) throws(LinkError) {
        let (type, value) = try openControlFrame(bytes)
        switch type {
        case "hello": self = .hello(try HelloMessage(value))
        case "claim":
            let fields = try LinkFields(value, path: "", allowed: ["type", "free", "received"])
            self = .claim(
                free: try fields.integer("free", in: 0...LinkProtocol.slots),
                received: try fields.integer("received", in: 0...UInt64(Int64.max))
            )
        case "beat":
            let fields = try LinkFields(value, path: "", allowed: ["type", "serial", "running"])
            self = .beat(
                serial: try fields.integer("serial", in: 0...UInt64(Int64.max)),
                running: try fields.attempts("running")
            )
        case "started":
            self = .started(try LinkFields(value, path: "", allowed: ["type", "attempt"]).attempt("attempt"))
        case "finish":
            let fields = try LinkFields(value, path: "", allowed: ["type", "ends"])
            let ends = try fields.array("ends", limit: LinkProtocol.attempts)
            self = .finish(try ends.map { end throws(LinkError) in try AttemptEnd(end) })
        case "release":
            let fields = try LinkFields(value, path: "", allowed: ["type", "attempts", "reason"])
            self = .release(
                try fields.attempts("attempts"),
                reason: try fields.text("reason", limit: LinkProtocol.textBytes)
            )
        case "removed":
            let fields = try LinkFields(value, path: "", allowed: ["type", "projects"])
            self = .removed(try fields.ids("projects", as: ProjectNoun.self, limit: LinkProtocol.removals))
        case "workspace_done":
            self = try Self.workspaceDone(value)
        default: throw LinkError(.unknownType, String(type.prefix(32)))
        }
    }

    private static func workspaceDone(_ value: JSONValue) throws(LinkError) -> WorkerControlMessage {
        let failed = value["error"] != nil
        let fields = try LinkFields(
            value,
            path: "",
            allowed: failed ? ["type", "transfer", "error", "text"] : ["type", "transfer", "bytes", "entries"]
        )
        let transfer: UInt64 = try fields.integer("transfer", in: 0...UInt64(Int64.max))
        guard !failed else {
            let text = try fields.text("text", limit: LinkProtocol.textBytes)
            return .workspaceDone(
                transfer: transfer,
                .failed(try fields.word("error", as: WorkspaceFailure.self), text: text)
            )
        }
        return .workspaceDone(
            transfer: transfer,
            .done(
                bytes: try fields.integer("bytes", in: 0...UInt64(Int64.max)),
                entries: try fields.integer("entries", in: 0...Int(Int32.max))
            )
        )
    }
}

extension HelloMessage {
    fileprivate init(_ value: JSONValue) throws(LinkError) {
        let fields = try LinkFields(
            value,
            path: "",
            allowed: ["type", "version", "resuming", "slots", "agent_version", "isolation", "running"]
        )
        self.init(
            version: try fields.integer("version", in: 0...Int(Int32.max)),
            resuming: try fields.optionalInteger("resuming", in: 0...Int64.max),
            slots: try fields.integer("slots", in: 0...LinkProtocol.slots),
            agentVersion: try fields.optionalText("agent_version", limit: 256),
            isolation: try fields.optionalText("isolation", limit: LinkProtocol.textBytes),
            running: try fields.attempts("running")
        )
    }
}
