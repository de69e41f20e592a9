package import Bytes
package import Core
package import Platform

/// The audit log's checkpoints and anchors in memory.
package final class InMemoryAuditCheckpointStore: AuditCheckpointStore {
    /// Thrown by each call while set.
    package var failure: StoreError?
    /// How often the next month's partition was asked for.
    package private(set) var openings = 0
    /// Signalled at each of these.
    package let opened = LoopCondition()
    /// The chains' beginnings.
    package var anchors: [AuditChain: AuditAnchor] = [:]
    /// The checkpoints, smallest first.
    package var kept: [AuditChain: [StoredAuditCheckpoint]] = [:]

    private let log: any AuditStore

    /// No checkpoints of a log.
    package init(of log: any AuditStore) {
        self.log = log
    }

    package func due(
        entries: Int,
        signedBefore: Timestamp,
        after chain: AuditChain?,
        limit: Int
    ) async throws(StoreError) -> [AuditChain] {
        if let failure { throw failure }
        let heads = try await log.heads(after: chain, limit: .max)
        return heads.filter { head in
            guard let last = kept[head.chain]?.last else { return true }
            let new = head.position.seq - last.position.seq
            return new < 0 || new > 0 && (new >= Int64(entries) || last.signedAt <= signedBefore)
        }.prefix(limit).map(\.chain)
    }

    package func checkpoints(
        _ chain: AuditChain,
        above size: Int64,
        limit: Int
    ) async throws(StoreError) -> [StoredAuditCheckpoint] {
        if let failure { throw failure }
        return Array(kept[chain, default: []].filter { $0.position.seq > size }.prefix(limit))
    }

    package func lastCheckpoint(_ chain: AuditChain) async throws(StoreError) -> StoredAuditCheckpoint? {
        if let failure { throw failure }
        return kept[chain]?.last
    }

    package func save(_ checkpoint: StoredAuditCheckpoint) async throws(StoreError) {
        if let failure { throw failure }
        var own = kept[checkpoint.chain, default: []]
        guard !own.contains(where: { $0.position.seq == checkpoint.position.seq }) else { return }
        own.append(checkpoint)
        kept[checkpoint.chain] = own.sorted { $0.position.seq < $1.position.seq }
    }

    package func anchor(_ chain: AuditChain) async throws(StoreError) -> AuditAnchor? {
        if let failure { throw failure }
        return anchors[chain]
    }

    package func chains(after chain: AuditChain?, limit: Int) async throws(StoreError) -> [AuditChain] {
        if let failure { throw failure }
        let written = try await log.heads(after: nil, limit: .max).map(\.chain)
        let all = Set(anchors.keys).union(kept.keys).union(written)
        return Array(all.filter { found in chain.map { found > $0 } ?? true }.sorted().prefix(limit))
    }

    package func openNextMonth() async throws(StoreError) {
        if let failure { throw failure }
        openings += 1
        opened.signalAll()
    }
}
