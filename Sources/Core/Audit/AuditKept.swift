package import Bytes

/// Where a chain begins after its oldest months were dropped.
package struct AuditAnchor: Sendable, Equatable {
    package var chain: AuditChain
    /// The last entry that is gone.
    package var position: AuditPosition
    package var hash: [UInt8]
    /// The complete subtrees of the tree up to it, largest first.
    package var frontier: [UInt8]

    /// Names a beginning.
    package init(chain: AuditChain, position: AuditPosition, hash: [UInt8], frontier: [UInt8]) {
        self.chain = chain
        self.position = position
        self.hash = hash
        self.frontier = frontier
    }
}

/// A signed checkpoint as the database keeps it, with what the next one is made from.
package struct StoredAuditCheckpoint: Sendable, Equatable {
    package var chain: AuditChain
    /// The last entry under its root, whose number is the tree's size.
    package var position: AuditPosition
    package var hash: [UInt8]
    package var frontier: [UInt8]
    /// The signed note.
    package var note: String
    package var signedAt: Timestamp

    /// Makes a checkpoint from its stored parts.
    package init(
        chain: AuditChain,
        position: AuditPosition,
        hash: [UInt8],
        frontier: [UInt8],
        note: String,
        signedAt: Timestamp
    ) {
        self.chain = chain
        self.position = position
        self.hash = hash
        self.frontier = frontier
        self.note = note
        self.signedAt = signedAt
    }
}

/// A month of entries, which is kept or dropped as a whole.
package struct AuditMonth: Sendable, Equatable {
    package var first: Timestamp
    /// The first moment of the next month.
    package var end: Timestamp
    package var isDropped: Bool

    /// Makes a month from its stored parts.
    package init(first: Timestamp, end: Timestamp, isDropped: Bool) {
        self.first = first
        self.end = end
        self.isDropped = isDropped
    }
}
