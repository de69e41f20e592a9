import API
import Auth
import Core
import Operations
package import Platform
import Store

/// `errand admin audit prune`: drops the months of the audit log that are older than they have to be kept.
package struct AuditPrune: Verb {
    package static let words = ["admin", "audit", "prune"]
    package static let usage = "--keep-days N [--yes] [options]"
    package static let summary =
        "Drop whole months of the audit log that are older than N days, once all of it verifies."
    package static let options =
        [
            Option(
                "--keep-days",
                "N",
                "how long entries are kept at least, \(Configuration.auditKeepDays.lowerBound) days or more"
            ),
            Confirmation.option,
        ] + AuditEvidence.options + [AdminOptions.data]

    private let arguments: Arguments
    private let days: Int

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
        guard let days = try arguments.integer("--keep-days", in: Configuration.auditKeepDays) else {
            throw UsageError("say with --keep-days N how long entries are kept")
        }
        self.days = days
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await AdminSession.open(arguments, on: loop) { session in
            guard let owner = try await session.ownerURL() else {
                throw CommandFailure("set ERRAND_OWNER_DATABASE_URL: only the owner of the tables drops a month")
            }
            let evidence = try await AuditEvidence.load(arguments, directory: session.directory)
            try await Confirmation.demand("Drop the months older than \(days) days for good?", arguments)
            let pruning = AuditPruning(
                store: session.store,
                ownerURL: owner,
                evidence: evidence,
                actor: .administrator(SystemUser.currentName),
                loop: loop
            )
            let dropped = try await pruning.run(days: days)
            for month in dropped { terminal.print(AuditPruning.name(month)) }
            terminal.note(dropped.isEmpty ? "no month is old enough" : "dropped \(dropped.count) months")
        }
        return ExitCode.done
    }
}
