import API
import Auth
import Core
package import Platform
import Store

/// `errand admin audit export`: the audit log as NDJSON, which verifies by itself, or as CSV.
package struct AuditExport: Verb {
    package static let words = ["admin", "audit", "export"]
    package static let usage = "[--chain CHAIN] [--format ndjson|csv] [options]"
    package static let summary = "Write the audit log, or one chain of it, to standard output, oldest first."
    package static let options =
        [AuditChoice.chainOption, Option("--format", "FORMAT", "ndjson (default) or csv")]
        + AuditChoice.filterOptions + [AdminOptions.data]

    private let arguments: Arguments
    private let choice: AuditChoice
    private let format: AuditExportFormat

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
        choice = try AuditChoice(arguments)
        guard let format = AuditExportFormat(rawValue: arguments.value("--format") ?? "ndjson") else {
            throw UsageError("--format must be ndjson or csv")
        }
        self.format = format
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await AdminSession.run(arguments, on: loop) { store in
            let chain = try await choice.chain(in: store)
            let details = [AuditDetail("format", format.rawValue)] + choice.filter.details
            try await store.recordReading("audit.exported", chain, details)
            try terminal.deliver(format.heading)
            if let chain {
                try await export(chain, from: store, to: terminal)
            } else {
                try await store.eachAuditChain { try await export($0, from: store, to: terminal) }
            }
        }
        return ExitCode.done
    }

    private func export(_ chain: AuditChain, from store: Store, to terminal: Terminal) async throws {
        if choice.filter == AuditFilter(), let anchor = try await store.auditCheckpoints.anchor(chain) {
            try terminal.deliver(format.line(anchor))
        }
        var walk = try await AuditWalk(store.audit, chain, matching: choice.filter, scope: .system)
        while let entries = try await walk.next() {
            try terminal.deliver(entries.flatMap { format.line($0) })
        }
    }
}
