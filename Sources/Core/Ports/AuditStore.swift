/// The audit log, kept durably; it only grows.
///
/// Acts are recorded by the store that does them, in the act's own transaction: its method takes the draft.
package protocol AuditStore: AnyObject {
    /// Records what no other store carries: refusals, and reads.
    func record(_ drafts: [AuditDraft]) async throws(StoreError)
    /// Entries of a chain, newest first, before a position; empty when the chain is out of scope.
    func entries(
        of chain: AuditChain,
        matching filter: AuditFilter,
        before position: AuditPosition,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> AuditPage
    /// Entries of a chain as they are kept, oldest first, after a position; empty when the chain is out of scope.
    func stored(
        _ chain: AuditChain,
        after position: AuditPosition,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> [StoredAuditEntry]
    /// Where a chain ends; nil when it has no entry.
    func head(of chain: AuditChain) async throws(StoreError) -> AuditHead?
    /// Where the chains end, in their order, after one of them.
    func heads(after chain: AuditChain?, limit: Int) async throws(StoreError) -> [AuditHead]
}

extension AuditStore {
    /// Entries of any chain as they are kept, oldest first, after a position: for verification and checkpoints.
    package func stored(
        _ chain: AuditChain,
        after position: AuditPosition,
        limit: Int
    ) async throws(StoreError) -> [StoredAuditEntry] {
        try await stored(chain, after: position, limit: limit, scope: .system)
    }
}
