import Bytes
package import Core

/// The months of the audit log in memory, dropped by the same rules as the real ones.
package final class InMemoryAuditMonthStore: AuditMonthStore {
    /// Thrown by each call while set.
    package var failure: StoreError?

    private let log: InMemoryAuditStore
    private let checkpoints: InMemoryAuditCheckpointStore
    private let clock: any TimeSource
    private var gone: [AuditMonth] = []

    /// The months of a log.
    package init(of log: InMemoryAuditStore, _ checkpoints: InMemoryAuditCheckpointStore, clock: any TimeSource) {
        self.log = log
        self.checkpoints = checkpoints
        self.clock = clock
    }

    package func months() async throws(StoreError) -> [AuditMonth] {
        if let failure { throw failure }
        let written = log.chains.values.joined().map { Self.month(of: $0.position.recordedAt) }
        var found: [AuditMonth] = gone
        for month in (written + [Self.month(of: clock.now)]).sorted(by: { $0.first < $1.first })
        where !found.contains(where: { $0.first == month.first }) {
            found.append(month)
        }
        return found
    }

    package func ends(
        of month: AuditMonth,
        after chain: AuditChain?,
        limit: Int
    ) async throws(StoreError) -> [AuditHead] {
        if let failure { throw failure }
        let last = log.chains.values.compactMap { entries in entries.last { Self.holds(month, $0) } }
        return last.filter { entry in chain.map { entry.chain > $0 } ?? true }.sorted { $0.chain < $1.chain }
            .prefix(limit).map { AuditHead(chain: $0.chain, position: $0.position, hash: $0.hash) }
    }

    package func drop(
        _ month: AuditMonth,
        anchors: [AuditAnchor],
        audit: AuditDraft
    ) async throws(StoreError) {
        let refusal = StoreError.failed(stage: "audit.drop", sqlState: "55000")
        let oldest = try await months().first { !$0.isDropped }
        guard oldest?.first == month.first, month.end <= clock.now else { throw refusal }
        for end in try await ends(of: month, after: nil, limit: .max) {
            guard
                anchors.contains(where: {
                    $0.chain == end.chain && $0.position == end.position && $0.hash == end.hash
                })
            else { throw refusal }
        }
        try await log.record([audit])
        for anchor in anchors { checkpoints.anchors[anchor.chain] = anchor }
        log.chains = log.chains.mapValues { entries in entries.filter { !Self.holds(month, $0) } }
        gone.append(AuditMonth(first: month.first, end: month.end, isDropped: true))
    }

    private static func holds(_ month: AuditMonth, _ entry: StoredAuditEntry) -> Bool {
        (month.first..<month.end).contains(entry.position.recordedAt)
    }

    /// The month of UTC that a moment lies in.
    private static func month(of moment: Timestamp) -> AuditMonth {
        let first = beginning(of: moment)
        // Past the end of any month, and within the next.
        let end = beginning(of: first.adding(.seconds(32 * 86_400)))
        return AuditMonth(first: first, end: end, isDropped: false)
    }

    private static func beginning(of moment: Timestamp) -> Timestamp {
        Timestamp(rfc3339: moment.rfc3339.prefix(7) + "-01T00:00:00Z") ?? moment
    }
}
