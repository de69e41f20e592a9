import Auth
import Bytes
import Core
import Crypto
import Testing

@Suite struct AuditChainVerifierTests {
    @Test func `an untouched chain is whole, with its head and its checkpoints`() throws {
        let fixture = try AuditChainFixture()
        #expect(fixture.verify() == nil)
        #expect(fixture.verify(head: fixture.head) == nil)
        #expect(try AuditChainFixture(1, signed: [1], team: nil).verify() == nil)
        var verifier = try AuditChainVerifier(fixture.chain, checkpoints: fixture.checkpoints)
        for entry in fixture.entries { try verifier.add(entry) }
        try verifier.finish()
        #expect(verifier.verified == 12 && verifier.confirmed == 2 && verifier.erased == 0)
    }

    /// Every column of a row, and how it is spoilt.
    enum Column: CaseIterable, Sendable {
        case chain, seq, recordedAt, previousHash, hash, canonical, personal, actor, action, target, noTarget

        func spoil(_ entry: inout StoredAuditEntry, byte: Int) {
            func flip(_ bytes: inout [UInt8]) { bytes[byte % bytes.count] ^= 1 << (byte % 8) }
            switch self {
            case .chain: entry.chain = .team(TeamID(at: AuditChainFixture.start))
            case .seq: entry.position.seq += Int64(byte % 5) - 2 == 0 ? 1 : Int64(byte % 5) - 2
            case .recordedAt: entry.position.recordedAt = entry.position.recordedAt.adding(.milliseconds(byte % 7 + 1))
            case .previousHash: flip(&entry.previousHash)
            case .hash: flip(&entry.hash)
            case .canonical: flip(&entry.canonical)
            case .personal:
                entry.personal = entry.personal.map { bytes in
                    var changed = bytes
                    flip(&changed)
                    return changed
                }
            case .actor: entry.actor += "x"
            case .action: entry.action = "job.cancelled"
            case .target: entry.target = "job_x"
            case .noTarget: entry.target = nil
            }
        }
    }

    @Test(arguments: Column.allCases) func `a flipped bit of any column is found at its entry`(column: Column) throws {
        let fixture = try AuditChainFixture()
        for index in [0, 6, 11] {
            let length = fixture.entries[index].canonical.count
            // Every byte of the longest column; the others are shorter and come round more than once.
            for byte in 0..<length {
                var tampered = fixture
                column.spoil(&tampered.entries[index], byte: byte)
                let fault = try #require(tampered.verify(), "\(column) of entry \(index + 1), byte \(byte)")
                #expect(abs(fault.seq - Int64(index + 1)) <= (column == .seq ? 2 : 0), "\(column): \(fault)")
            }
        }
    }

    @Test(arguments: [0, 6, 10]) func `a removed entry is named`(index: Int) throws {
        var fixture = try AuditChainFixture()
        fixture.entries.remove(at: index)
        let fault = try #require(fixture.verify())
        #expect(fault.kind == .missing && fault.seq == Int64(index + 1))
        // Numbered and hashed anew, the chain is a chain again: the checkpoint tells.
        fixture.rechain()
        let rewritten = try #require(fixture.verify())
        #expect(rewritten.kind == (index < 5 ? .rewritten : .truncated))
        #expect(fixture.verify(checkpoints: []) == nil)
    }

    @Test func `a removed last entry is found by a checkpoint, or by the head`() throws {
        var fixture = try AuditChainFixture()
        let head = fixture.head
        fixture.entries.removeLast()
        #expect(fixture.verify()?.kind == .truncated && fixture.verify()?.seq == 12)
        #expect(fixture.verify(head: head, checkpoints: [])?.kind == .truncated)
        // The positive control: without either nobody can know.
        #expect(fixture.verify(checkpoints: []) == nil)
    }

    @Test func `a cut end is found by a checkpoint alone, also when the head was set back with it`() throws {
        var fixture = try AuditChainFixture()
        fixture.entries.removeLast(9)
        let fault = try #require(fixture.verify(head: fixture.head))
        #expect(fault.kind == .truncated && fault.seq == 4)
        fixture.entries.removeAll()
        #expect(fixture.verify()?.seq == 1)
    }

    @Test(arguments: [(0, 1), (3, 7), (10, 11)]) func `swapped entries are found at the first`(
        places: (Int, Int)
    ) throws {
        var fixture = try AuditChainFixture()
        fixture.entries.swapAt(places.0, places.1)
        #expect(fixture.verify()?.seq == Int64(places.0 + 1))
        // With their numbers exchanged too, so that they stand in order.
        let first = fixture.entries[places.0].position
        fixture.entries[places.0].position = fixture.entries[places.1].position
        fixture.entries[places.1].position = first
        #expect(fixture.verify()?.seq == Int64(places.0 + 1))
    }

    @Test(arguments: [0, 6, 11]) func `an entry that comes twice is named`(index: Int) throws {
        var fixture = try AuditChainFixture()
        fixture.entries.insert(fixture.entries[index], at: index + 1)
        let fault = try #require(fixture.verify())
        #expect(fault.kind == .repeated && fault.seq == Int64(index + 1))
    }

    @Test(arguments: [0, 6]) func `a forged entry with a hash of its own does not fit in`(index: Int) throws {
        var fixture = try AuditChainFixture()
        let before = index > 0 ? fixture.entries[index - 1] : nil
        let forged = AuditChainFixture.entry(index + 1, after: before, team: fixture.chain.team, action: "forged")
        var replaced = fixture
        replaced.entries[index] = forged
        let fault = try #require(replaced.verify())
        // The forged entry fits on; the one behind it does not.
        #expect(fault.kind == .unlinked && fault.seq == Int64(index + 2))
        var inserted = fixture
        inserted.entries.insert(forged, at: index)
        #expect(inserted.verify()?.kind == .repeated && inserted.verify()?.seq == Int64(index + 1))
        fixture.entries[index] = forged
        fixture.rechain(from: index + 1)
        let rewritten = try #require(fixture.verify())
        #expect(rewritten.kind == .rewritten && rewritten.seq == (index < 5 ? 1 : 6))
    }

    @Test func `an entry behind the head was put there by somebody else`() throws {
        var fixture = try AuditChainFixture()
        let head = fixture.head
        fixture.entries.append(AuditChainFixture.entry(13, after: fixture.entries.last, team: fixture.chain.team))
        let fault = try #require(fixture.verify(head: head))
        #expect(fault.kind == .added && fault.seq == 13)
    }

    @Test func `a history written anew and signed with another key does not pass`() throws {
        let genuine = try AuditChainFixture()
        var forged = try AuditChainFixture(team: genuine.chain.team)
        #expect(forged.verify() == nil)
        let publicKey = try #require(genuine.key.publicKey)
        let foreign = try #require(forged.checkpoints.last).note.description
        #expect(AuditCheckpoint(foreign, key: publicKey) == nil)
        // Held to what was really signed, the forged history is found out at once.
        forged.checkpoints = genuine.checkpoints
        #expect(forged.verify()?.kind == .rewritten)
    }

    @Test func `two checkpoints of one size with different roots are a fork`() throws {
        let fixture = try AuditChainFixture()
        var other = try AuditChainFixture(team: fixture.chain.team)
        other.key = fixture.key
        other.checkpoints = []
        var edge = try AuditChainVerifier(other.chain)
        for entry in other.entries { try edge.add(entry) }
        let fork = try fixture.key.sign(edge)
        #expect(fixture.verify(checkpoints: fixture.checkpoints + [fork])?.kind == .checkpoint)
    }

    @Test func `an entry dated before its predecessor is refused even when it is hashed so`() throws {
        var fixture = try AuditChainFixture(signed: [])
        fixture.entries[6].position.recordedAt = fixture.entries[5].position.recordedAt.adding(.milliseconds(-1))
        fixture.rechain(from: 6)
        #expect(fixture.verify()?.kind == .unlinked && fixture.verify()?.seq == 7)
    }

    @Test func `an erased personal part leaves the chain whole, and is counted`() throws {
        var fixture = try AuditChainFixture()
        fixture.entries[3].personal = nil
        #expect(fixture.verify() == nil)
        var verifier = try AuditChainVerifier(fixture.chain)
        for entry in fixture.entries { try verifier.add(entry) }
        #expect(verifier.erased == 1)
        // Another's part in its place is not the one that was written.
        fixture.entries[3].personal = fixture.entries[4].personal
        #expect(fixture.verify()?.kind == .personalChanged && fixture.verify()?.seq == 4)
    }

    @Test func `behind dropped months a chain is verified from its anchor on`() throws {
        let fixture = try AuditChainFixture()
        var edge = try AuditChainVerifier(fixture.chain)
        for entry in fixture.entries.prefix(7) { try edge.add(entry) }
        let anchor = AuditAnchor(
            chain: fixture.chain,
            position: edge.position,
            hash: edge.hash,
            frontier: edge.frontier.bytes
        )
        func verify(_ anchor: AuditAnchor, _ checkpoints: [AuditCheckpoint]? = nil) -> AuditFault? {
            do throws(AuditFault) {
                var verifier = try AuditChainVerifier(
                    fixture.chain,
                    anchor: anchor,
                    checkpoints: checkpoints ?? fixture.checkpoints
                )
                for entry in fixture.entries.dropFirst(7) { try verifier.add(entry) }
                try verifier.finish(head: fixture.head)
                return nil
            } catch {
                return error
            }
        }
        #expect(verify(anchor) == nil)
        // Whoever deletes a history can write an anchor behind it; only what was signed later tells the two apart.
        for checkpoints in [[], fixture.checkpoints.filter { $0.size < 7 }] {
            #expect(verify(anchor, checkpoints)?.kind == .missing && verify(anchor, checkpoints)?.seq == 1)
        }
        var forged = anchor
        forged.frontier[0] ^= 1
        #expect(verify(forged)?.kind == .rewritten)
        forged = anchor
        forged.hash[0] ^= 1
        #expect(verify(forged)?.kind == .unlinked && verify(forged)?.seq == 8)
        forged = anchor
        forged.position.seq = 6
        #expect(verify(forged) != nil)
    }
}
