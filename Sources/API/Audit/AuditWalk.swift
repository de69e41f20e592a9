package import Core

/// Walks a chain from its oldest entry to where it ended when the walk began.
package struct AuditWalk {
    /// Entries read at a time: a megabyte at the very most.
    private static let stride = 200

    private let audit: any AuditStore
    private let chain: AuditChain
    private let filter: AuditFilter
    private let scope: Scope
    private let end: AuditPosition
    private var position: AuditPosition
    private var isDone: Bool

    /// A walk over the entries that a filter lets through; one without an entry at its beginning is over at once.
    package init(
        _ audit: any AuditStore,
        _ chain: AuditChain,
        matching filter: AuditFilter,
        scope: Scope
    ) async throws(StoreError) {
        (self.audit, self.chain, self.filter, self.scope) = (audit, chain, filter, scope)
        let head = try await audit.head(of: chain)
        end = head?.position ?? .start
        position = filter.from.map { AuditPosition(recordedAt: $0, seq: 0) } ?? .start
        isDone = end <= position
    }

    /// The next entries, which may be none; nil at the end.
    package mutating func next() async throws -> [StoredAuditEntry]? {
        guard !isDone else { return nil }
        let entries = try await audit.stored(chain, after: position, limit: Self.stride, scope: scope)
        guard let last = entries.last else { throw AuditWalkCut(chain: chain, position: position, end: end) }
        position = last.position
        isDone = position >= end || filter.to.map { position.recordedAt >= $0 } ?? false
        return entries.filter { $0.position <= end && filter.matches($0) }
    }
}

/// A chain that ended before the entry that its head names, or that its reader may not read any more.
package struct AuditWalkCut: Error, CustomStringConvertible {
    let chain: AuditChain
    let position: AuditPosition
    let end: AuditPosition

    package var description: String {
        "the chain \(chain) breaks off behind entry \(position.seq) of \(end.seq): `errand admin audit verify` says why"
    }
}
