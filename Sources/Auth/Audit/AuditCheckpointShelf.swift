package import Core

/// Checkpoints to hold chains to, in bounded memory: of many of one chain an even choice, always with the greatest.
///
/// Every checkpoint covers all entries before it; those in between only narrow down where a rewriting began.
package struct AuditCheckpointShelf: Sendable {
    /// Kept of one chain: a fault is narrowed down to a hundredth of it, and a thousand chains take 100 MB.
    static let capacity = 200

    private struct Row: Sendable {
        var kept: [AuditCheckpoint] = []
        var greatest: AuditCheckpoint?
        /// The greatest of each source before this one: a copy that contradicts must not be thinned out.
        var ends: [AuditCheckpoint] = []
        var seen = 0
        var stride = 1
    }

    private var rows: [AuditChain: Row] = [:]

    /// Without checkpoints.
    package init() {}

    /// The chains that have one.
    package var chains: [AuditChain] { rows.keys.sorted() }

    /// The checkpoints kept of a chain, in the order in which they came.
    package subscript(chain: AuditChain) -> [AuditCheckpoint] {
        guard let row = rows[chain] else { return [] }
        return row.kept + (row.ends + [row.greatest].compactMap { $0 }).filter { !row.kept.contains($0) }
    }

    /// Ends what comes from one source, such as a file; the greatest of each source stays, whatever others hold.
    package mutating func endSource() {
        for (chain, row) in rows {
            guard let greatest = row.greatest else { continue }
            rows[chain]?.ends.append(greatest)
            rows[chain]?.greatest = nil
        }
    }

    /// Takes a checkpoint whose signature holds.
    package mutating func add(_ checkpoint: AuditCheckpoint) {
        var row = rows[checkpoint.chain] ?? Row()
        if row.greatest.map({ $0.size < checkpoint.size }) ?? true { row.greatest = checkpoint }
        if row.seen % row.stride == 0 { row.kept.append(checkpoint) }
        row.seen += 1
        if row.kept.count == Self.capacity {
            row.kept = row.kept.indices.filter { $0 % 2 == 0 }.map { row.kept[$0] }
            row.stride *= 2
        }
        rows[checkpoint.chain] = row
    }
}
