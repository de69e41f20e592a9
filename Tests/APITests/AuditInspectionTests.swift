import API
import Auth
import Bytes
import Core
import Crypto
import Platform
import Store
import TestSupport
import Testing

/// Verifying the audit log where it is kept, over its in-memory double.
@Suite struct AuditInspectionTests {
    private static let start = Timestamp(milliseconds: 1_790_000_000_000)
    private static let team = AuditChain.team(TeamID(at: start))

    /// A log of two chains, with a checkpoint over the first eight of twelve entries of the team's.
    fileprivate final class Stage {
        let time = ManualTime(AuditInspectionTests.start)
        let log: InMemoryAuditStore
        let checkpoints: InMemoryAuditCheckpointStore
        let key: AuditKey
        var shelf = AuditCheckpointShelf()
        let chain = AuditInspectionTests.team

        init() async throws {
            log = InMemoryAuditStore(clock: time)
            checkpoints = InMemoryAuditCheckpointStore(of: log)
            key = try AuditKey(host: "errand.test", at: AuditInspectionTests.start)
            try await act(3, .installation)
            try await act(8, chain)
            try await sign(chain)
            try await act(4, chain)
        }

        func act(_ count: Int, _ chain: AuditChain) async throws {
            for number in 0..<count {
                time.advance(by: .seconds(1))
                try await log.record([
                    AuditDraft(at: time.now, team: chain.team, actor: .system, action: "act", target: "\(number)")
                ])
            }
        }

        func sign(_ chain: AuditChain) async throws {
            var edge = try AuditChainVerifier(chain)
            for entry in log.chains[chain, default: []] { try edge.add(entry) }
            let checkpoint = try key.sign(edge)
            shelf.add(checkpoint)
            try await checkpoints.save(
                StoredAuditCheckpoint(
                    chain: chain,
                    position: edge.position,
                    hash: edge.hash,
                    frontier: edge.frontier.bytes,
                    note: checkpoint.note.description,
                    signedAt: time.now
                )
            )
        }

        /// What a verification finds, by chain.
        func faults() async throws -> [AuditChain: AuditFault?] {
            var found: [AuditChain: AuditFault?] = [:]
            try await inspection().inspectAll { found[$0.chain] = $0.fault }
            return found
        }

        func inspection() throws -> AuditInspection {
            AuditInspection(log, checkpoints, key: try #require(key.publicKey), shelf: shelf)
        }

        /// Hashes everything anew from an entry on.
        func rechain(from index: Int) {
            var entries = log.chains[chain, default: []]
            for place in index..<entries.count {
                entries[place].position.seq = Int64(place + 1)
                entries[place].previousHash = place == 0 ? StoredAuditEntry.noHash : entries[place - 1].hash
                entries[place].hash = Digest.sha256(entries[place].hashedBytes)
            }
            log.chains[chain] = entries
        }
    }

    @Test func `an untouched log is whole, and each chain says how much was verified`() async throws {
        let stage = try await Stage()
        var reports: [AuditReport] = []
        try await stage.inspection().inspectAll { reports.append($0) }
        #expect(reports.map(\.chain) == [.installation, Self.team])
        #expect(reports.map(\.entries) == [3, 12] && reports.map(\.checkpoints) == [0, 1])
        #expect(reports.allSatisfy { $0.fault == nil && $0.first == 1 && $0.erased == 0 })
    }

    /// What somebody with the database in hand may do, and where it has to show.
    enum Tampering: CaseIterable, Sendable {
        case changed, removed, removedAndRechained, reordered, inserted, insertedAndRechained, truncated
        case truncatedWithItsHead, allGone, added, headMoved, checkpointForged, checkpointRemovedAndRewritten
    }

    @Test(arguments: Tampering.allCases) func `tampering is found at its first entry, and in no other chain`(
        tampering: Tampering
    ) async throws {
        let stage = try await Stage()
        let (log, chain) = (stage.log, stage.chain)
        let head = try #require(try await log.head(of: chain))
        let expected: (seq: Int64, kind: AuditFault.Kind)
        switch tampering {
        case .changed:
            log.chains[chain]?[4].canonical[20] ^= 1
            expected = (5, .changed)
        case .removed:
            log.chains[chain]?.remove(at: 4)
            expected = (5, .missing)
        case .removedAndRechained:
            log.chains[chain]?.remove(at: 4)
            stage.rechain(from: 4)
            expected = (1, .rewritten)
        case .reordered:
            log.chains[chain]?.swapAt(9, 10)
            expected = (10, .missing)
        case .inserted:
            if let twin = log.chains[chain]?[9] { log.chains[chain]?.insert(twin, at: 10) }
            log.statedHeads[chain] = head
            expected = (10, .repeated)
        case .insertedAndRechained:
            if let twin = log.chains[chain]?[2] { log.chains[chain]?.insert(twin, at: 3) }
            stage.rechain(from: 3)
            expected = (1, .rewritten)
        case .truncated:
            log.chains[chain]?.removeLast(2)
            log.statedHeads[chain] = head
            expected = (11, .truncated)
        case .truncatedWithItsHead:
            log.chains[chain]?.removeLast(6)
            expected = (7, .truncated)
        case .allGone:
            log.chains[chain] = nil
            expected = (1, .truncated)
        case .added:
            log.statedHeads[chain] = head
            try await stage.act(1, chain)
            expected = (13, .added)
        case .headMoved:
            log.statedHeads[chain] = AuditHead(chain: chain, position: head.position, hash: StoredAuditEntry.noHash)
            expected = (12, .unlinked)
        case .checkpointForged:
            stage.checkpoints.kept[chain]?[0].note += "x"
            expected = (8, .checkpoint)
        case .checkpointRemovedAndRewritten:
            // What the database was made to forget stands in the file.
            stage.checkpoints.kept[chain] = nil
            log.chains[chain]?[4].target = "other"
            log.chains[chain]?[4].canonical =
                SealedAuditDraft(
                    AuditDraft(at: Self.start, team: chain.team, actor: .system, action: "act", target: "other")
                ).canonical + [UInt8](repeating: 0, count: 32)
            log.chains[chain]?[4].personal = nil
            stage.rechain(from: 4)
            expected = (1, .rewritten)
        }
        let faults = try await stage.faults()
        let fault = try #require(faults[chain] ?? nil, "\(tampering)")
        #expect(fault.seq == expected.seq && fault.kind == expected.kind, "\(tampering): \(fault)")
        #expect(faults[.installation] == .some(nil))
    }

    @Test func `a chain that only the checkpoints remember is missed`() async throws {
        let stage = try await Stage()
        stage.log.chains[stage.chain] = nil
        stage.checkpoints.kept = [:]
        let faults = try await stage.faults()
        #expect(faults[stage.chain]??.kind == .truncated && faults[stage.chain]??.seq == 1)
    }

    @Test func `what is written while the log is verified is no fault`() async throws {
        try await withAPI { world in
            let (store, now) = (world.store, world.time.now)
            let key = try AuditKey(host: "errand.test", at: Self.start)
            let draft = { AuditDraft(at: now, team: nil, actor: .system, action: "act") }
            var isVerified = false
            let ended = LoopCondition()
            var isEnded = false
            world.loop.spawnLocal {
                while !isVerified { try? await store.audit.record((0..<20).map { _ in draft() }) }
                isEnded = true
                ended.signalAll()
            }
            let inspection = AuditInspection(
                store.audit,
                store.auditCheckpoints,
                key: try #require(key.publicKey),
                shelf: AuditCheckpointShelf()
            )
            var last: Int64 = 0
            for _ in 0..<50 {
                let report = try await inspection.inspect(.installation)
                #expect(report.fault == nil && report.entries >= last)
                last = report.entries
            }
            isVerified = true
            while !isEnded { await ended.wait() }
            #expect(last > 0)
        }
    }

    @Test func `behind dropped months a chain is verified from its anchor on`() async throws {
        let stage = try await Stage()
        var edge = try AuditChainVerifier(stage.chain)
        for entry in stage.log.chains[stage.chain, default: []].prefix(6) { try edge.add(entry) }
        stage.checkpoints.anchors[stage.chain] = AuditAnchor(
            chain: stage.chain,
            position: edge.position,
            hash: edge.hash,
            frontier: edge.frontier.bytes
        )
        stage.log.chains[stage.chain]?.removeFirst(6)
        let report = try await stage.inspection().inspect(stage.chain)
        #expect(report.fault == nil && report.first == 7 && report.entries == 6 && report.checkpoints == 1)
    }

    @Test func `a walk gives every entry up to where the chain ended, and says when it breaks off`() async throws {
        let stage = try await Stage()
        try await stage.act(500, stage.chain)
        func walked(_ filter: AuditFilter = AuditFilter()) async throws -> [Int64] {
            var seen: [Int64] = []
            var walk = try await AuditWalk(stage.log, stage.chain, matching: filter, scope: .system)
            while let entries = try await walk.next() { seen += entries.map(\.position.seq) }
            return seen
        }
        #expect(try await walked() == Array(1...512))
        var filter = AuditFilter()
        filter.target = "2"
        #expect(try await walked(filter) == [3, 11, 15])
        filter = AuditFilter()
        filter.from = stage.log.chains[stage.chain]?[9].position.recordedAt
        filter.to = stage.log.chains[stage.chain]?[12].position.recordedAt
        #expect(try await walked(filter) == [10, 11, 12])
        let head = try await stage.log.head(of: stage.chain)
        stage.log.statedHeads[stage.chain] = head
        stage.log.chains[stage.chain]?.removeLast(3)
        await #expect(throws: AuditWalkCut.self) { _ = try await walked() }
    }
}
