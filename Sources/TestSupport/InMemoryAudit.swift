import Bytes
package import Core
import Crypto

/// The audit log in memory, with the same chains as the real one.
package final class InMemoryAuditStore: AuditStore {
    /// Thrown by each call while set.
    package var failure: StoreError?
    /// Whose chains a scope may read; everything unless a test says otherwise.
    package var reaches: (Scope, AuditChain) -> Bool = { _, _ in true }

    private let clock: any TimeSource
    /// The entries themselves, for a test to tamper with.
    package var chains: [AuditChain: [StoredAuditEntry]] = [:]
    /// Where chains are said to end when that is not where their entries do.
    package var statedHeads: [AuditChain: AuditHead] = [:]

    /// An empty log.
    package init(clock: any TimeSource) {
        self.clock = clock
    }

    /// What was recorded, each chain's entries in order.
    package func acts(of chain: AuditChain) -> [AuditEntry] {
        chains[chain, default: []].compactMap { AuditEntry(canonical: $0.canonical) }
    }

    package func record(_ drafts: [AuditDraft]) async throws(StoreError) {
        if let failure { throw failure }
        for draft in drafts { append(SealedAuditDraft(draft)) }
    }

    private func append(_ draft: SealedAuditDraft) {
        let last = chains[draft.chain]?.last
        var entry = StoredAuditEntry(
            chain: draft.chain,
            position: AuditPosition(
                recordedAt: max(clock.now, last?.position.recordedAt ?? clock.now),
                seq: (last?.position.seq ?? 0) + 1
            ),
            previousHash: last?.hash ?? StoredAuditEntry.noHash,
            hash: [],
            canonical: draft.canonical + Digest.sha256(draft.personal),
            personal: draft.personal,
            actor: draft.actor,
            action: draft.action,
            target: draft.target
        )
        entry.hash = Digest.sha256(entry.hashedBytes)
        chains[draft.chain, default: []].append(entry)
    }

    package func entries(
        of chain: AuditChain,
        matching filter: AuditFilter,
        before position: AuditPosition,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> AuditPage {
        if let failure { throw failure }
        guard reaches(scope, chain) else { return AuditPage(items: [], next: nil) }
        let found = chains[chain, default: []].reversed().filter { $0.position < position && filter.matches($0) }
        let items = Array(found.prefix(limit))
        return AuditPage(items: items, next: found.count > limit ? items.last?.position : nil)
    }

    package func stored(
        _ chain: AuditChain,
        after position: AuditPosition,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> [StoredAuditEntry] {
        if let failure { throw failure }
        guard reaches(scope, chain) else { return [] }
        return Array(chains[chain, default: []].filter { $0.position > position }.prefix(limit))
    }

    package func heads(after chain: AuditChain?, limit: Int) async throws(StoreError) -> [AuditHead] {
        if let failure { throw failure }
        let later = chains.values.compactMap(\.last).filter { entry in chain.map { entry.chain > $0 } ?? true }
        return later.sorted { $0.chain < $1.chain }.prefix(limit).map {
            AuditHead(chain: $0.chain, position: $0.position, hash: $0.hash)
        }
    }

    package func head(of chain: AuditChain) async throws(StoreError) -> AuditHead? {
        if let failure { throw failure }
        if let head = statedHeads[chain] { return head }
        return chains[chain]?.last.map { AuditHead(chain: chain, position: $0.position, hash: $0.hash) }
    }
}
