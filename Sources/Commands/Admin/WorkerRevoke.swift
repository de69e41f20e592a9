import Core
package import Platform
import Store

/// `errand admin worker revoke ID`: its credential is dead, and the workspaces that it holds are lost.
package struct WorkerRevoke: Verb {
    package static let words = ["admin", "worker", "revoke"]
    package static let usage = "ID [--yes] [options]"
    package static let summary = "Revoke a worker for good; the workspaces that it holds are lost."
    package static let options = [Confirmation.option, AdminOptions.data]

    private let arguments: Arguments
    private let id: WorkerID

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let word = try arguments.exactly("ID")[0]
        guard let id = WorkerID(word) else { throw UsageError("\(word) is not a worker's id (wrk_…)") }
        self.id = id
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await AdminSession.run(arguments, on: loop) { store in
            guard let holdings = try await store.workers.holdings(of: id) else {
                throw CommandFailure("there is no worker \(id)", exitCode: ExitCode.notFound)
            }
            try await Confirmation.demand(Self.question(id, holdings), arguments)
            _ = try await store.workers.revokeWorker(
                id,
                audit: .administration("worker.revoked", target: id.description)
            )
        }
        terminal.note("\(id) is revoked")
        return ExitCode.done
    }

    /// What somebody should know before they say yes.
    static func question(_ id: WorkerID, _ holdings: WorkerHoldings) -> String {
        func some(_ count: Int, _ noun: String, _ verb: String) -> String {
            "\(count) \(noun)\(count == 1 ? "" : "s") \(verb)\(count == 1 ? "s" : "")"
        }
        let name = "\(VisibleText.line(holdings.name)) (\(id))"
        guard holdings.projects > 0 || holdings.running > 0 else { return "Revoke \(name)? It holds nothing." }
        return """
            Revoke \(name) for good? \(some(holdings.projects, "project", "lose")) the workspace that is there, \
            \(some(holdings.waiting, "job", "fail")) that waited for it, and \(some(holdings.running, "job", "end")) there.
            """
    }
}
