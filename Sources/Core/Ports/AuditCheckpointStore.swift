package import Bytes

/// What keeps the audit log provable: its checkpoints, and where its chains begin.
package protocol AuditCheckpointStore: AnyObject {
    /// Chains, in their order after one of them, that got an entry since their last checkpoint.
    ///
    /// Only those with at least `entries` new ones, or whose last checkpoint was signed at `signedBefore` or earlier; and
    /// those with a checkpoint of more entries than there are, which somebody has to look into.
    func due(
        entries: Int,
        signedBefore: Timestamp,
        after chain: AuditChain?,
        limit: Int
    ) async throws(StoreError) -> [AuditChain]
    /// Checkpoints of a chain, smallest first, of more than `size` entries.
    func checkpoints(
        _ chain: AuditChain,
        above size: Int64,
        limit: Int
    ) async throws(StoreError)
        -> [StoredAuditCheckpoint]
    /// The greatest checkpoint of a chain.
    func lastCheckpoint(_ chain: AuditChain) async throws(StoreError) -> StoredAuditCheckpoint?
    /// Keeps a checkpoint; one of the same size that is there already stays.
    func save(_ checkpoint: StoredAuditCheckpoint) async throws(StoreError)
    /// Where a chain begins, when months were dropped.
    func anchor(_ chain: AuditChain) async throws(StoreError) -> AuditAnchor?
    /// All chains that left a trace, be it an entry, an end, an anchor or a checkpoint, in their order after one of them.
    func chains(after chain: AuditChain?, limit: Int) async throws(StoreError) -> [AuditChain]
    /// Makes the partition of the next month, unless it is there.
    func openNextMonth() async throws(StoreError)
}
