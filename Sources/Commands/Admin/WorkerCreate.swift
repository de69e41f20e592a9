import API
import Bytes
import Core
package import Platform
import Store

/// `errand admin worker create NAME`: a worker that may enrol once.
package struct WorkerCreate: Verb {
    package static let words = ["admin", "worker", "create"]
    package static let usage = "NAME [options]"
    package static let summary = "Create a worker and print its one-time enrolment token."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let name: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        name = try arguments.exactly("NAME")[0]
        guard (1...100).contains(name.utf8.count) else { throw UsageError("NAME must be 1 to 100 bytes") }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let (id, token) = try await AdminSession.run(arguments, on: loop) { store in
            try await Workers.create(name: name, in: store)
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("id", id.description)
            writer.member("token", token)
            writer.endObject()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.note("created \(id); on the worker: ERRAND_WORKER_TOKEN=… errand work, within an hour")
            terminal.print(token)
        }
        return ExitCode.done
    }
}

/// Making workers, for `errand admin` and for the first start of `errand up`.
enum Workers {
    /// Creates a worker whose enrolment token is good for an hour.
    static func create(name: String, in store: Store) async throws -> (id: WorkerID, token: String) {
        let now = WallClock.now()
        let id = WorkerID(at: now)
        let enrolment = WorkerCredential.makeEnrolment()
        try await store.workers.createWorker(
            id,
            name: name,
            enrolmentHash: enrolment.hash,
            expiresAt: now.adding(.seconds(3_600)),
            audit: .administration(
                "worker.created",
                target: id.description,
                at: now,
                details: [AuditDetail("name", name)]
            )
        )
        return (id, enrolment.token)
    }
}
