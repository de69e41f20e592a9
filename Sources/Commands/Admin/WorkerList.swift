import Bytes
import Core
package import Platform
import Store

/// `errand admin worker list`: all workers and their leases.
package struct WorkerList: Verb {
    package static let words = ["admin", "worker", "list"]
    package static let usage = "[options]"
    package static let summary = "List all workers."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let workers = try await AdminSession.run(arguments, on: loop) { try await $0.workers.workers() }
        let now = WallClock.now()
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginArray()
            for worker in workers {
                writer.beginObject()
                writer.member("id", worker.id.description)
                writer.member("name", worker.name)
                writer.member("slots", worker.slots)
                writer.member("epoch", worker.epoch)
                writer.member("lease_until", worker.leaseUntil)
                writer.member("is_revoked", worker.isRevoked)
                writer.endObject()
            }
            writer.endArray()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            for worker in workers {
                let isHere = worker.leaseUntil.map { $0 > now } ?? false
                let state = worker.isRevoked ? "revoked" : isHere ? "connected" : "away"
                terminal.print("\(worker.id)  \(worker.name)  \(state)  \(worker.slots) slots")
            }
        }
        return ExitCode.done
    }
}
