import API
import Auth
import Bytes
import Core
import Operations
import Platform
import Store

/// Drops the old months of an installation's audit log, as the owner of the tables.
struct AuditPruning {
    let store: Store
    let ownerURL: Secret
    let evidence: AuditEvidence
    /// Who drops them, for the log.
    let actor: AuditActor
    let loop: EventLoop

    /// Drops what is older, and gives the months that went.
    func run(days: Int) async throws -> [AuditMonth] {
        let months = try await PostgresAuditMonthStore.open(url: ownerURL.reveal(), on: loop)
        defer { months.close() }
        let inspection = AuditInspection(
            store.audit,
            store.auditCheckpoints,
            key: evidence.key,
            shelf: evidence.shelf
        )
        do {
            return try await AuditRetention(months, inspection).drop(olderThan: days, at: WallClock.now()) {
                month,
                chains in
                AuditDraft(
                    at: WallClock.now(),
                    team: nil,
                    actor: actor,
                    action: "audit.dropped",
                    target: Self.name(month),
                    details: [AuditDetail("keep_days", "\(days)"), AuditDetail("chains", "\(chains)")]
                )
            }
        } catch let fault as AuditFault {
            throw CommandFailure("nothing more is dropped, because the log is not whole: \(fault)")
        }
    }

    /// A month as people write it.
    static func name(_ month: AuditMonth) -> String { String(month.first.rfc3339.prefix(7)) }
}
