import Auth
package import Bytes
package import Core
import Crypto

/// Drops months of the audit log that are old enough, each only once every chain of the log's that it holds verifies.
///
/// What is dropped cannot be verified any more. So a log that is not whole is kept as it is, as the evidence that it is.
package struct AuditRetention {
    private static let page = 500

    private let months: any AuditMonthStore
    private let inspection: AuditInspection

    /// Drops months of a log that an inspection verifies.
    package init(_ months: any AuditMonthStore, _ inspection: AuditInspection) {
        self.months = months
        self.inspection = inspection
    }

    /// Drops every month whose last moment is `days` ago; gives those that went, and throws the fault that stopped it.
    package func drop(
        olderThan days: Int,
        at now: Timestamp,
        audit: (AuditMonth, Int) -> AuditDraft
    ) async throws
        -> [AuditMonth]
    {
        let limit = now.adding(.seconds(-86_400 * days))
        var dropped: [AuditMonth] = []
        for month in try await months.months() where !month.isDropped {
            // They go in their order: one that is kept keeps all after it.
            guard month.end <= limit, month.end <= now else { break }
            let anchors = try await anchors(of: month)
            try await months.drop(month, anchors: anchors, audit: audit(month, anchors.count))
            dropped.append(month)
        }
        return dropped
    }

    /// Where each chain with an entry in the month begins without it.
    private func anchors(of month: AuditMonth) async throws -> [AuditAnchor] {
        var anchors: [AuditAnchor] = []
        while true {
            let ends = try await months.ends(of: month, after: anchors.last?.chain, limit: Self.page)
            for end in ends {
                let edge = try await inspection.edge(of: end.chain, at: end.position)
                anchors.append(
                    AuditAnchor(
                        chain: end.chain,
                        position: edge.position,
                        hash: edge.hash,
                        frontier: edge.frontier.bytes
                    )
                )
            }
            guard ends.count == Self.page else { return anchors }
        }
    }
}
