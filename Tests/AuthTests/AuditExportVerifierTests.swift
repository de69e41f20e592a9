import Auth
import Bytes
import Core
import Crypto
import Testing

@Suite struct AuditExportVerifierTests {
    private static func shelf(_ checkpoints: [AuditCheckpoint]) -> AuditCheckpointShelf {
        var shelf = AuditCheckpointShelf()
        for checkpoint in checkpoints { shelf.add(checkpoint) }
        return shelf
    }

    private static func verify(_ lines: [[UInt8]], _ checkpoints: [AuditCheckpoint]) -> AuditExportVerifier {
        var verifier = AuditExportVerifier(shelf(checkpoints))
        for line in lines { verifier.add(line) }
        verifier.finish()
        return verifier
    }

    private static func lines(_ fixture: AuditChainFixture) -> [[UInt8]] { fixture.entries.map(AuditLine.encode) }

    @Test func `an export of several chains verifies from its lines and the checkpoints alone`() throws {
        let (team, installation) = (try AuditChainFixture(), try AuditChainFixture(3, signed: [3], team: nil))
        let verifier = Self.verify(
            Self.lines(installation) + Self.lines(team),
            team.checkpoints + installation.checkpoints
        )
        #expect(verifier.unreadable == nil)
        #expect(verifier.reports.map(\.chain) == [.installation, team.chain])
        #expect(verifier.reports.map(\.entries) == [3, 12] && verifier.reports.map(\.checkpoints) == [1, 2])
        #expect(verifier.reports.allSatisfy { $0.fault == nil && $0.first == 1 })
    }

    /// Ways to tamper with a file of twelve lines, and where it shows.
    enum Tampering: CaseIterable, Sendable {
        case shown, bytes, removed, swapped, inserted, cut, unreadable, emptied

        func apply(_ lines: inout [[UInt8]]) -> (seq: Int64, kind: AuditFault.Kind) {
            switch self {
            case .shown:
                lines[6] = Array(
                    String(decoding: lines[6], as: UTF8.self).replacing("192.0.2.1", with: "192.0.2.2").utf8
                )
                return (7, .misstated)
            case .bytes:
                lines[6] = Array(String(decoding: lines[6], as: UTF8.self).replacing("job_7", with: "job_8").utf8)
                return (7, .misstated)
            case .removed:
                lines.remove(at: 6)
                return (7, .missing)
            case .swapped:
                lines.swapAt(6, 7)
                return (7, .missing)
            case .inserted:
                lines.insert(lines[6], at: 7)
                return (7, .repeated)
            case .cut:
                lines.removeLast(4)
                return (9, .truncated)
            case .unreadable:
                lines[6].removeLast()
                return (7, .changed)
            case .emptied:
                lines[6] = []
                return (7, .changed)
            }
        }
    }

    @Test(arguments: Tampering.allCases) func `a tampered export is found out at its first bad entry, other chains not`(
        tampering: Tampering
    ) throws {
        let (team, installation) = (try AuditChainFixture(), try AuditChainFixture(3, signed: [3], team: nil))
        var lines = Self.lines(team)
        let expected = tampering.apply(&lines)
        let verifier = Self.verify(
            lines + Self.lines(installation),
            team.checkpoints + installation.checkpoints
        )
        #expect(verifier.reports.map(\.chain) == [team.chain, .installation])
        let fault = try #require(verifier.reports.first?.fault)
        #expect(fault.seq == expected.seq && fault.kind == expected.kind, "\(fault)")
        #expect(verifier.reports.last?.fault == nil)
    }

    @Test func `a file that is no export, and one that comes back to a chain, are told apart from a whole one`() throws
    {
        #expect(Self.verify([Array("hello".utf8)], []).unreadable == 1)
        let (team, other) = (try AuditChainFixture(), try AuditChainFixture(2, signed: [], team: nil))
        let verifier = Self.verify(Self.lines(team) + Self.lines(other) + [Self.lines(team)[3]], team.checkpoints)
        #expect(verifier.reports.count == 2)
        #expect(verifier.reports.first?.fault?.kind == .repeated && verifier.reports.first?.fault?.seq == 13)
    }

    @Test func `behind dropped months an export carries where it begins, and checkpoints hold it to that`() throws {
        let fixture = try AuditChainFixture()
        var edge = try AuditChainVerifier(fixture.chain)
        for entry in fixture.entries.prefix(7) { try edge.add(entry) }
        let anchor = AuditAnchor(
            chain: fixture.chain,
            position: edge.position,
            hash: edge.hash,
            frontier: edge.frontier.bytes
        )
        let rest = Self.lines(fixture).dropFirst(7)
        let whole = Self.verify([AuditLine.encode(anchor)] + rest, fixture.checkpoints)
        #expect(whole.reports.map(\.fault) == [nil] && whole.reports.map(\.first) == [8])
        #expect(whole.reports.map(\.checkpoints) == [1])
        var forged = anchor
        forged.frontier[0] ^= 1
        let rewritten = Self.verify([AuditLine.encode(forged)] + rest, fixture.checkpoints)
        #expect(rewritten.reports.first?.fault?.kind == .rewritten)
        // Without the line the beginning is missing.
        #expect(Self.verify(Array(rest), fixture.checkpoints).reports.first?.fault?.seq == 1)
    }

    @Test func `of many checkpoints an even choice is kept, and always the greatest`() throws {
        let key = try AuditKey(host: "errand.test", at: AuditChainFixture.start)
        var shelf = AuditCheckpointShelf()
        let root = [UInt8](repeating: 1, count: 32)
        for size in 1...1_001 {
            shelf.add(try key.sign(.installation, size: UInt64(size), root: root))
            #expect(shelf[.installation].map(\.size).max() == UInt64(size))
            #expect(shelf[.installation].count <= 201)
        }
        let sizes = shelf[.installation].map(\.size).sorted()
        #expect(sizes.count >= 100 && sizes.first == 1)
        #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $1 - $0 <= 16 })
        #expect(shelf.chains == [.installation])
    }

    @Test func `of each source the greatest is kept, however many another one holds`() throws {
        let key = try AuditKey(host: "errand.test", at: AuditChainFixture.start)
        var shelf = AuditCheckpointShelf()
        func add(_ sizes: ClosedRange<Int>, _ mark: UInt8) throws {
            for size in sizes {
                shelf.add(try key.sign(.installation, size: UInt64(size), root: [UInt8](repeating: mark, count: 32)))
            }
            shelf.endSource()
        }
        try add(1...250, 1)
        try add(1...2_000, 2)
        let kept = shelf[.installation]
        #expect(kept.contains { $0.size == 250 && $0.root.first == 1 })
        #expect(kept.contains { $0.size == 2_000 && $0.root.first == 2 })
    }
}
