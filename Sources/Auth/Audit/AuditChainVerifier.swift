package import Core
package import Crypto

/// Verifies one chain, entry by entry in the order of its numbers, in constant memory.
///
/// It needs nothing but the entries, and checkpoints for what a chain alone cannot show: a missing end, and a history that
/// was rewritten and hashed anew.
package struct AuditChainVerifier {
    package let chain: AuditChain
    /// The number of the first entry that is expected; those before it were dropped with their months.
    package let first: Int64
    /// Entries verified so far, those before the anchor not counted.
    package private(set) var verified: Int64 = 0
    /// Entries whose personal part was erased.
    package private(set) var erased: Int64 = 0
    /// Checkpoints whose root was found.
    package private(set) var confirmed = 0
    /// The tree up to the last entry.
    package private(set) var frontier: MerkleFrontier
    /// The last entry's place.
    package private(set) var position: AuditPosition
    /// The last entry's hash.
    package private(set) var hash: [UInt8]

    private var checkpoints: ArraySlice<AuditCheckpoint>
    private var lastConfirmed: UInt64
    /// Nobody signs an anchor: until a checkpoint confirms the tree that begins with it, it is only a claim.
    private var isClaimed = false

    /// A verifier at a chain's beginning, or behind its anchor.
    ///
    /// `checkpoints` are those of this chain whose signature holds, in any order.
    package init(
        _ chain: AuditChain,
        anchor: AuditAnchor? = nil,
        checkpoints: [AuditCheckpoint] = []
    ) throws(AuditFault) {
        self.chain = chain
        position = anchor?.position ?? .start
        first = position.seq + 1
        hash = anchor?.hash ?? StoredAuditEntry.noHash
        let size = UInt64(clamping: position.seq)
        guard let frontier = MerkleFrontier(size: size, bytes: anchor?.frontier ?? []) else {
            throw AuditFault(chain, position.seq, .changed, "the anchor of the dropped months is malformed")
        }
        self.frontier = frontier
        lastConfirmed = size
        isClaimed = size > 0
        self.checkpoints = []
        self.checkpoints = try Self.sorted(checkpoints, of: chain, from: size)[...]
        try confirm()
    }

    /// A verifier that goes on behind a checkpoint.
    package init?(behind checkpoint: StoredAuditCheckpoint) {
        guard let frontier = MerkleFrontier(size: UInt64(clamping: checkpoint.position.seq), bytes: checkpoint.frontier)
        else { return nil }
        chain = checkpoint.chain
        position = checkpoint.position
        first = position.seq + 1
        hash = checkpoint.hash
        self.frontier = frontier
        lastConfirmed = frontier.size
        checkpoints = []
    }

    /// Verifies the next entry.
    package mutating func add(_ entry: StoredAuditEntry) throws(AuditFault) {
        let (seq, expected) = (entry.position.seq, position.seq + 1)
        guard entry.chain == chain else {
            throw AuditFault(chain, expected, .unlinked, "the entry found here belongs to \(entry.chain)")
        }
        guard seq <= expected else {
            throw AuditFault(chain, expected, .missing, "\(seq) follows \(position.seq)")
        }
        guard seq == expected else {
            throw AuditFault(chain, seq, .repeated, "\(seq) comes after \(position.seq)")
        }
        guard Digest.sha256(entry.hashedBytes) == entry.hash else {
            throw AuditFault(chain, seq, .changed, "its hash is not that of its bytes")
        }
        guard entry.previousHash == hash else {
            throw AuditFault(chain, seq, .unlinked, "it does not carry the hash of the entry before it")
        }
        guard entry.position.recordedAt >= position.recordedAt else {
            throw AuditFault(chain, seq, .unlinked, "it is dated before the entry before it")
        }
        try compare(entry)
        frontier.append(MerkleTree.leaf(entry.hash))
        position = entry.position
        hash = entry.hash
        verified += 1
        try confirm()
    }

    /// Verifies that the chain ends here.
    package mutating func finish(head: AuditHead? = nil) throws(AuditFault) {
        if let beyond = checkpoints.first {
            throw AuditFault(
                chain,
                position.seq + 1,
                .truncated,
                "a checkpoint was signed over \(beyond.size) entries and \(position.seq) are there"
            )
        }
        guard !isClaimed else {
            throw AuditFault(
                unconfirmed: AuditAnchor(
                    chain: chain,
                    position: AuditPosition(recordedAt: position.recordedAt, seq: first - 1),
                    hash: [],
                    frontier: []
                )
            )
        }
        guard let head else { return }
        if head.position.seq > position.seq {
            throw AuditFault(
                chain,
                position.seq + 1,
                .truncated,
                "the chain's head names \(head.position.seq) entries and \(position.seq) are there"
            )
        }
        guard head.position.seq == position.seq else {
            throw AuditFault(chain, head.position.seq + 1, .added, "the chain's head ends before it")
        }
        guard head.hash == hash else {
            throw AuditFault(chain, position.seq, .unlinked, "the chain's head names another last entry")
        }
    }

    /// Whether the bytes can be read, and everything beside them repeats what they say.
    private mutating func compare(_ entry: StoredAuditEntry) throws(AuditFault) {
        let seq = entry.position.seq
        guard let said = AuditEntry(canonical: entry.canonical) else {
            throw AuditFault(chain, seq, .changed, "its bytes are not an entry of a known version")
        }
        guard AuditChain(said.team) == chain else {
            throw AuditFault(chain, seq, .misstated, "it was written for another chain")
        }
        for (name, shown, own) in [
            ("actor", entry.actor, said.actor.text), ("action", entry.action, said.action),
            ("target", entry.target, said.target),
        ] where shown != own {
            throw AuditFault(chain, seq, .misstated, "its column \(name) differs from its bytes")
        }
        guard let personal = entry.personal else {
            erased += 1
            return
        }
        guard Digest.sha256(personal) == said.personalDigest, AuditPersonalPart(personal) != nil else {
            throw AuditFault(chain, seq, .personalChanged, "address, client or details are not those that were written")
        }
    }

    /// Holds the tree to the checkpoint of its size, if there is one.
    private mutating func confirm() throws(AuditFault) {
        guard let next = checkpoints.first, next.size == frontier.size else { return }
        guard frontier.root == next.root else {
            throw AuditFault(
                chain,
                Int64(clamping: lastConfirmed) + 1,
                .rewritten,
                "the \(next.size) entries are not those that were signed; from here on to \(next.size) any may differ"
            )
        }
        checkpoints.removeFirst()
        confirmed += 1
        isClaimed = false
        lastConfirmed = next.size
    }

    /// The checkpoints that the entries can be held to, each size once.
    private static func sorted(
        _ checkpoints: [AuditCheckpoint],
        of chain: AuditChain,
        from size: UInt64
    ) throws(AuditFault) -> [AuditCheckpoint] {
        var kept: [AuditCheckpoint] = []
        for checkpoint in checkpoints.filter({ $0.chain == chain && $0.size > 0 && $0.size >= size })
            .sorted(by: { $0.size < $1.size })
        {
            guard let last = kept.last, last.size == checkpoint.size else {
                kept.append(checkpoint)
                continue
            }
            guard last.root == checkpoint.root else {
                throw AuditFault(
                    chain,
                    1,
                    .checkpoint,
                    "two checkpoints over \(last.size) entries name different roots: the log was forked"
                )
            }
        }
        return kept
    }
}
