import Core
package import Platform
import Store

/// `errand admin worker revoke ID`: its credential is dead, its jobs go elsewhere or fail.
package struct WorkerRevoke: Verb {
    package static let words = ["admin", "worker", "revoke"]
    package static let usage = "ID"
    package static let summary = "Revoke a worker's credential."
    package static let options = [AdminOptions.data]

    private let arguments: Arguments
    private let id: WorkerID

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let word = try arguments.exactly("ID")[0]
        guard let id = WorkerID(word) else { throw UsageError("\(word) is not a worker's id (wrk_…)") }
        self.id = id
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let isKnown = try await AdminSession.run(arguments, on: loop) {
            try await $0.workers.revokeWorker(
                id,
                audit: .administration("worker.revoked", target: id.description)
            )
        }
        guard isKnown else { throw CommandFailure("there is no worker \(id)", exitCode: ExitCode.notFound) }
        terminal.note("\(id) is revoked")
        return ExitCode.done
    }
}
