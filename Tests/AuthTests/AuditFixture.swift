import Auth
import Bytes
import Core
import Crypto

/// A chain of the audit log made by the same rules as the database's, to be tampered with.
struct AuditChainFixture {
    static let start = Timestamp(milliseconds: 1_790_000_000_000)
    let chain: AuditChain
    var entries: [StoredAuditEntry] = []
    var key: AuditKey
    var checkpoints: [AuditCheckpoint] = []

    /// A chain of `count` entries with a checkpoint over each size in `signed`.
    init(_ count: Int = 12, signed: Set<Int> = [5, 12], team: TeamID? = TeamID(at: start)) throws {
        chain = AuditChain(team)
        key = try AuditKey(host: "errand.test", at: Self.start)
        var edge = try AuditChainVerifier(chain)
        for number in 1...count {
            let entry = Self.entry(number, after: entries.last, team: team)
            entries.append(entry)
            try edge.add(entry)
            if signed.contains(number) { checkpoints.append(try key.sign(edge)) }
        }
    }

    /// The entry of a number, behind another one.
    static func entry(
        _ number: Int,
        after last: StoredAuditEntry?,
        team: TeamID?,
        action: String = "job.submitted"
    ) -> StoredAuditEntry {
        let draft = AuditDraft(
            at: start,
            team: team,
            actor: .user(UserID(at: start), device: SignInID(at: start)),
            action: action,
            target: "job_\(number)",
            address: "192.0.2.1",
            userAgent: "test",
            details: [AuditDetail("kind", "command")]
        )
        let sealed = SealedAuditDraft(draft)
        let entry = StoredAuditEntry(
            chain: sealed.chain,
            position: AuditPosition(recordedAt: start.adding(seconds: number), seq: (last?.position.seq ?? 0) + 1),
            previousHash: last?.hash ?? StoredAuditEntry.noHash,
            hash: [],
            canonical: sealed.canonical + Digest.sha256(sealed.personal),
            personal: sealed.personal,
            actor: sealed.actor,
            action: sealed.action,
            target: sealed.target
        )
        return entry.rehashed
    }

    /// Hashes everything anew from an entry on, as somebody would who may write anything but has not the key.
    mutating func rechain(from index: Int = 0) {
        for place in index..<entries.count {
            entries[place].position.seq = Int64(place + 1)
            entries[place].previousHash = place == 0 ? StoredAuditEntry.noHash : entries[place - 1].hash
            entries[place] = entries[place].rehashed
        }
    }

    var head: AuditHead? {
        entries.last.map { AuditHead(chain: chain, position: $0.position, hash: $0.hash) }
    }

    /// The first fault; nil when all is well.
    func verify(head: AuditHead? = nil, checkpoints: [AuditCheckpoint]? = nil) -> AuditFault? {
        do throws(AuditFault) {
            var verifier = try AuditChainVerifier(chain, checkpoints: checkpoints ?? self.checkpoints)
            for entry in entries { try verifier.add(entry) }
            try verifier.finish(head: head)
            return nil
        } catch {
            return error
        }
    }
}

extension StoredAuditEntry {
    /// The same entry with the hash of its bytes.
    var rehashed: StoredAuditEntry {
        var entry = self
        entry.hash = Digest.sha256(hashedBytes)
        return entry
    }
}
