import API
import Auth
import Bytes
import Core
import Crypto
import Platform
import TestSupport
import Testing

/// Signing the audit log, over its in-memory double and a real file.
@Suite struct AuditCareTests {
    private static let start = Timestamp(milliseconds: 1_790_000_000_000)

    /// A log, its checkpoints and a server that signs it.
    final class Rig {
        let time = ManualTime(AuditCareTests.start)
        let directory: String
        let loop: EventLoop
        var log: InMemoryAuditStore
        var checkpoints: InMemoryAuditCheckpointStore
        var key: AuditKey
        var isElected = true
        /// Bytes after which the file's digest is written.
        var stride: Int64 = 1 << 20
        private(set) var faults: [String] = []

        init(_ loop: EventLoop) throws {
            self.loop = loop
            directory = try TestDirectory.make("audit-care")
            log = InMemoryAuditStore(clock: time)
            checkpoints = InMemoryAuditCheckpointStore(of: log)
            key = try AuditKey(host: "errand.test", at: AuditCareTests.start)
        }

        deinit { try? Files.removeTree(directory) }

        var file: AuditCheckpointFile { AuditCheckpointFile(path: directory + "/checkpoints", stride: stride) }

        /// A server that starts now.
        func server(entries: Int = 100, every interval: Duration = .seconds(300)) throws -> AuditCare {
            AuditCare(
                audit: log,
                checkpoints: checkpoints,
                key: key,
                publicKey: try #require(key.publicKey),
                file: file,
                rhythm: AuditCare.Rhythm(entries: entries, interval: interval),
                isElected: { [self] in isElected },
                time: time,
                loop: loop,
                onFault: { [self] in faults.append($0) }
            )
        }

        func act(_ count: Int = 1, _ chain: AuditChain = .installation) async throws {
            try await log.record(
                (0..<count).map { _ in
                    AuditDraft(at: time.now, team: chain.team, actor: .system, action: "act")
                }
            )
        }

        func filed() throws -> [AuditCheckpoint] {
            var shelf = AuditCheckpointShelf()
            _ = try file.read(key: try #require(key.publicKey), into: &shelf)
            return shelf.chains.flatMap { shelf[$0] }
        }

        func sizes(_ chain: AuditChain = .installation) -> [Int64] {
            checkpoints.kept[chain, default: []].map(\.position.seq)
        }

        /// Puts the database back to what it was.
        func restore(_ entries: [AuditChain: [StoredAuditEntry]], _ kept: [AuditChain: [StoredAuditCheckpoint]]) {
            log.chains = entries
            checkpoints.kept = kept
        }
    }

    static func onLoop(_ body: @escaping @Sendable (Rig) async throws -> Void) async throws {
        let loop = try EventLoop.start(name: "audit-care")
        defer { loop.stop() }
        try await loop.run { try await body(Rig(loop)) }
    }

    @Test func `a chain is signed at once, then after so many entries, or so long`() async throws {
        try await Self.onLoop { rig in
            let care = try rig.server()
            try await rig.act()
            await care.step(entries: 100, interval: .seconds(300))
            #expect(rig.sizes() == [1])
            try await rig.act(98)
            await care.step(entries: 100, interval: .seconds(300))
            #expect(rig.sizes() == [1])
            try await rig.act(2)
            await care.step(entries: 100, interval: .seconds(300))
            #expect(rig.sizes() == [1, 101])
            try await rig.act()
            rig.time.advance(by: .seconds(299))
            await care.step(entries: 100, interval: .seconds(300))
            #expect(rig.sizes() == [1, 101])
            rig.time.advance(by: .seconds(1))
            await care.step(entries: 100, interval: .seconds(300))
            #expect(rig.sizes() == [1, 101, 102])
            #expect(try rig.filed().map(\.size) == [1, 101, 102])
            #expect(rig.faults.isEmpty && rig.checkpoints.openings == 1)
        }
    }

    @Test func `what was signed verifies, file and database alike`() async throws {
        try await Self.onLoop { rig in
            let team = AuditChain.team(TeamID(at: Self.start))
            let care = try rig.server()
            for _ in 0..<5 {
                try await rig.act(7, team)
                try await rig.act(3)
                await care.step(entries: 1, interval: .seconds(300))
            }
            let filed = try rig.filed()
            #expect(filed.count == 10)
            for chain in [team, .installation] {
                var verifier = try AuditChainVerifier(chain, checkpoints: filed)
                for entry in rig.log.chains[chain, default: []] { try verifier.add(entry) }
                try verifier.finish()
                #expect(verifier.confirmed == 5)
                #expect(
                    rig.checkpoints.kept[chain]?.map(\.note)
                        == filed.filter { $0.chain == chain }.map(\.note.description)
                )
            }
            #expect(try Files.status(rig.file.path)?.mode == 0o600)
        }
    }

    @Test func `the end of a server signs what is left`() async throws {
        try await Self.onLoop { rig in
            let care = try rig.server()
            let ended = LoopCondition()
            rig.loop.spawnLocal {
                await care.run()
                ended.signalAll()
            }
            while rig.checkpoints.openings == 0 { await rig.checkpoints.opened.wait() }
            try await rig.act(3)
            await care.close()
            #expect(rig.sizes().last == 3)
        }
    }

    @Test(arguments: [Int64(4), 1 << 60]) func `a checkpoint that nobody signed does not end the signing in silence`(
        size: Int64
    ) async throws {
        try await Self.onLoop { rig in
            let care = try rig.server()
            try await rig.act(3)
            await care.step(entries: 1, interval: .zero)
            #expect(rig.sizes() == [3] && rig.faults.isEmpty)
            try await rig.act(1)
            let forged = StoredAuditCheckpoint(
                chain: .installation,
                position: AuditPosition(recordedAt: Self.start, seq: size),
                hash: [UInt8](repeating: 1, count: 32),
                frontier: [UInt8](repeating: 2, count: 64),
                note: "x",
                signedAt: Self.start.adding(seconds: 1_000_000)
            )
            try await rig.checkpoints.save(forged)
            try await rig.act(1)
            await care.step(entries: 1, interval: .zero)
            #expect(rig.faults.count == 1)
            #expect(rig.sizes().contains(5) == false)
        }
    }

    @Test func `only the elected server signs, and another goes on where it ended`() async throws {
        try await Self.onLoop { rig in
            let (first, second) = (try rig.server(), try rig.server())
            try await rig.act(3)
            rig.isElected = false
            await second.step(entries: 1, interval: .zero)
            #expect(rig.sizes().isEmpty)
            rig.isElected = true
            await first.step(entries: 1, interval: .zero)
            try await rig.act(3)
            await second.step(entries: 1, interval: .zero)
            // The first comes back and knows nothing of what happened meanwhile.
            rig.isElected = false
            await first.step(entries: 1, interval: .zero)
            rig.isElected = true
            try await rig.act(3)
            await first.step(entries: 1, interval: .zero)
            #expect(rig.sizes() == [3, 6, 9] && rig.faults.isEmpty)
            #expect(try rig.filed().map(\.size) == [3, 6, 9])
        }
    }

    @Test(arguments: [(5, false), (3, true)])
    func `behind an anchor it signs only what something signed confirms`(dropped: Int, isSigned: Bool) async throws {
        try await Self.onLoop { rig in
            try await rig.act(3)
            try await rig.server().step(entries: 1, interval: .zero)
            try await rig.act(3)
            var edge = try AuditChainVerifier(.installation)
            for entry in rig.log.chains[.installation, default: []].prefix(dropped) { try edge.add(entry) }
            // What an owner of the database can do to a history, and then claim that its months were dropped.
            rig.log.chains[.installation]?.removeFirst(dropped)
            rig.checkpoints.kept[.installation] = []
            rig.checkpoints.anchors[.installation] = AuditAnchor(
                chain: .installation,
                position: edge.position,
                hash: edge.hash,
                frontier: edge.frontier.bytes
            )
            try await rig.server().step(entries: 1, interval: .zero)
            #expect(try rig.filed().map(\.size) == (isSigned ? [3, 6] : [3]))
            #expect(rig.faults.contains { $0.contains("said to be dropped") } == !isSigned)
        }
    }

    @Test func `a crash between the file and the database is made good`() async throws {
        try await Self.onLoop { rig in
            try await rig.act(3)
            try await rig.server().step(entries: 1, interval: .zero)
            try await rig.act(3)
            let kept = rig.checkpoints.kept
            try await rig.server().step(entries: 1, interval: .zero)
            #expect(rig.sizes() == [3, 6])
            // The database never got the second one.
            rig.checkpoints.kept = kept
            try await rig.act()
            try await rig.server().step(entries: 1, interval: .zero)
            #expect(rig.sizes() == [3, 6, 7] && rig.faults.isEmpty)
            // A crash in the middle of a write leaves a piece; the next one is whole.
            try Files.append(rig.file.path, Array("errand.test/audit/instal".utf8))
            try await rig.act()
            try await rig.server().step(entries: 1, interval: .zero)
            #expect(try rig.filed().map(\.size) == [3, 6, 7, 8])
            #expect(rig.faults.count == 1 && rig.faults[0].hasPrefix("1 pieces of "))
        }
    }

    @Test func `a database that was set back is reported and not signed over`() async throws {
        try await Self.onLoop { rig in
            let other = AuditChain.team(TeamID(at: Self.start))
            try await rig.act(3)
            try await rig.act(1, other)
            try await rig.server().step(entries: 1, interval: .zero)
            let (entries, kept) = (rig.log.chains, rig.checkpoints.kept)
            try await rig.act(5)
            try await rig.server().step(entries: 1, interval: .zero)
            rig.restore(entries, kept)
            let care = try rig.server()
            await care.step(entries: 1, interval: .zero)
            #expect(rig.faults.count == 1 && care.refused == [.installation])
            // Even when it has grown again past where it was.
            try await rig.act(9)
            await care.step(entries: 1, interval: .zero)
            let late = try rig.server()
            await late.step(entries: 1, interval: .zero)
            #expect(rig.sizes() == [3] && late.refused == [.installation])
            #expect(try rig.filed().filter { $0.chain == .installation }.map(\.size) == [3, 8])
            // Another chain is signed as before.
            try await rig.act(1, other)
            await late.step(entries: 1, interval: .zero)
            #expect(rig.sizes(other) == [1, 2])
        }
    }

    /// Ways to tamper with the database between two checkpoints.
    enum Tampering: CaseIterable, Sendable {
        case entry, rechained, removed, frontier, note, foreignKey, otherFile, filedTwice
    }

    @Test(arguments: Tampering.allCases) func `nothing is signed that does not follow on what was signed`(
        tampering: Tampering
    ) async throws {
        try await Self.onLoop { rig in
            try await rig.act(6)
            let care = try rig.server()
            await care.step(entries: 1, interval: .zero)
            try await rig.act(6)
            // The positive control: without tampering the next one is signed.
            let (entries, kept) = (rig.log.chains, rig.checkpoints.kept)
            let bytes = try Files.readAll(rig.file.path, limit: 1 << 20)
            try await rig.server().step(entries: 1, interval: .zero)
            #expect(rig.sizes() == [6, 12] && rig.faults.isEmpty)
            rig.restore(entries, kept)
            try Files.writeAtomically(rig.file.path, bytes)
            switch tampering {
            case .entry: rig.log.chains[.installation]?[8].action = "other"
            case .rechained: try rig.rechain(from: 2)
            case .removed: rig.log.chains[.installation]?.remove(at: 7)
            case .frontier: rig.checkpoints.kept[.installation]?[0].frontier[3] ^= 1
            case .note: rig.checkpoints.kept[.installation]?[0].note += "x"
            case .foreignKey: rig.key = try AuditKey(host: "errand.test", at: Self.start)
            case .otherFile, .filedTwice:
                let fake = try rig.forgedCheckpoint(tampering == .otherFile ? 10 : 6)
                try rig.file.append(fake, isWhole: true)
            }
            let late = try rig.server()
            await late.step(entries: 1, interval: .zero)
            #expect(rig.sizes() == [6], "\(tampering)")
            #expect(!rig.faults.isEmpty, "\(tampering)")
        }
    }
}

extension AuditCareTests.Rig {
    /// Changes an entry and hashes it and everything behind it anew.
    fileprivate func rechain(from index: Int) throws {
        var entries = log.chains[.installation, default: []]
        let draft = SealedAuditDraft(AuditDraft(at: time.now, team: nil, actor: .system, action: "forged"))
        entries[index].canonical = draft.canonical + [UInt8](repeating: 0, count: 32)
        for place in index..<entries.count {
            entries[place].previousHash = place == 0 ? StoredAuditEntry.noHash : entries[place - 1].hash
            entries[place].hash = Digest.sha256(entries[place].hashedBytes)
        }
        log.chains[.installation] = entries
    }

    /// What somebody could have had signed over another history of the same length.
    fileprivate func forgedCheckpoint(_ size: UInt64) throws -> AuditCheckpoint {
        try key.sign(.installation, size: size, root: [UInt8](repeating: 7, count: 32))
    }
}
