import Bytes

/// An entry as it is kept: the bytes that its hash covers, and the columns beside them.
package struct StoredAuditEntry: Sendable, Equatable {
    package var chain: AuditChain
    package var position: AuditPosition
    package var previousHash: [UInt8]
    package var hash: [UInt8]
    /// The canonical bytes with the digest of `personal` at their end.
    package var canonical: [UInt8]
    /// Nil once it was erased.
    package var personal: [UInt8]?
    /// The columns that queries look at, each repeated from `canonical`.
    package var actor: String
    package var action: String
    package var target: String?

    /// Makes an entry from its stored parts.
    package init(
        chain: AuditChain,
        position: AuditPosition,
        previousHash: [UInt8],
        hash: [UInt8],
        canonical: [UInt8],
        personal: [UInt8]?,
        actor: String,
        action: String,
        target: String?
    ) {
        self.chain = chain
        self.position = position
        self.previousHash = previousHash
        self.hash = hash
        self.canonical = canonical
        self.personal = personal
        self.actor = actor
        self.action = action
        self.target = target
    }

    /// The bytes whose SHA-256 is the entry's hash.
    package var hashedBytes: [UInt8] {
        var bytes = Self.domain
        bytes.reserveCapacity(bytes.count + 64 + canonical.count)
        bytes += chain.uuid.uuidBytes
        bytes.appendBigEndian(position.seq)
        bytes.appendBigEndian(position.recordedAt.milliseconds)
        bytes += previousHash
        bytes += canonical
        return bytes
    }

    /// What the first entry of a chain has in place of its predecessor's hash.
    package static let noHash = [UInt8](repeating: 0, count: 32)

    /// Keeps these hashes from being any other hash of this system.
    private static let domain = [UInt8]("errand.audit.entry.v1\n".utf8)
}

/// Where a chain ends.
package struct AuditHead: Sendable, Equatable {
    package var chain: AuditChain
    package var position: AuditPosition
    package var hash: [UInt8]

    /// Names an end.
    package init(chain: AuditChain, position: AuditPosition, hash: [UInt8]) {
        self.chain = chain
        self.position = position
        self.hash = hash
    }
}
