package import Core

/// What is wrong with a chain, and the first entry at which it shows.
package struct AuditFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The sort of damage.
    package enum Kind: String, Sendable, CaseIterable {
        /// The bytes of an entry are not those that were hashed.
        case changed
        /// A column or a shown field says something else than the entry's own bytes.
        case misstated
        /// The part that may be erased is not the one that was hashed.
        case personalChanged = "personal_changed"
        /// An entry does not follow on the one before it: one was put in, taken out or rewritten here.
        case unlinked
        /// Numbers are missing: entries were removed, or moved elsewhere.
        case missing
        /// A number comes again, or after a greater one.
        case repeated
        /// The end is missing: a checkpoint or the chain's head knows of more entries.
        case truncated
        /// There are entries behind the chain's head.
        case added
        /// The entries are not those over which a checkpoint was signed; everything was hashed anew.
        case rewritten
        /// A checkpoint is not signed by this log's key, or contradicts another one.
        case checkpoint
    }

    package let chain: AuditChain
    /// The first entry that is not as it was written, or is not there.
    package let seq: Int64
    package let kind: Kind
    package let detail: String

    init(_ chain: AuditChain, _ seq: Int64, _ kind: Kind, _ detail: String) {
        self.chain = chain
        self.seq = seq
        self.kind = kind
        self.detail = detail
    }

    /// The chain is shorter than what was signed.
    package init(truncated checkpoint: AuditCheckpoint, at length: Int64) {
        self.init(
            checkpoint.chain,
            length + 1,
            .truncated,
            "a checkpoint was signed over \(checkpoint.size) entries and \(length) are there"
        )
    }

    /// The entries are not those that were signed.
    package init(rewritten checkpoint: AuditCheckpoint) {
        self.init(
            checkpoint.chain,
            1,
            .rewritten,
            "the first \(checkpoint.size) entries are not those that were signed"
        )
    }

    /// Something else was signed over as many entries.
    package init(forked checkpoint: AuditCheckpoint) {
        self.init(
            checkpoint.chain,
            1,
            .checkpoint,
            "two checkpoints over \(checkpoint.size) entries name different roots: the log was forked"
        )
    }

    /// What stands for a checkpoint is not signed by this log's key, or not over what stands beside it.
    package init(unsigned stored: StoredAuditCheckpoint) {
        self.init(
            stored.chain,
            stored.position.seq,
            .checkpoint,
            "the stored checkpoint is not one that this log's key signed over these entries"
        )
    }

    /// Entries are said to be dropped, and nothing that was signed confirms what follows them.
    package init(unconfirmed anchor: AuditAnchor) {
        self.init(
            anchor.chain,
            1,
            .missing,
            "entries 1 to \(anchor.position.seq) are said to be dropped, and no signed checkpoint covers what follows them"
        )
    }

    /// An entry stands behind the chain's end.
    package init(added entry: StoredAuditEntry, behind head: AuditHead) {
        self.init(
            entry.chain,
            head.position.seq + 1,
            .added,
            "\(entry.position.seq) is there and the chain's head names \(head.position.seq) entries"
        )
    }

    /// An entry stands at another place than the one where it was found before.
    package init(_ chain: AuditChain, at found: AuditPosition, not expected: AuditPosition) {
        self.init(
            chain,
            min(found.seq, expected.seq) + 1,
            .unlinked,
            "the chain leads to \(found) and not to \(expected)"
        )
    }

    package var description: String { "\(chain) entry \(seq): \(kind.rawValue): \(detail)" }
}
