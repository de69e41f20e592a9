import API
import Auth
import Bytes
import Core
import TestSupport
import Testing

/// Dropping old months of the audit log, over its in-memory double.
@Suite struct AuditRetentionTests {
    private static let march = Timestamp(milliseconds: 1_710_000_000_000)
    private static let day = Duration.seconds(86_400)

    /// Two chains with five entries in each of three months, signed at each month's end.
    fileprivate final class Stage {
        let clock = ManualTime(AuditRetentionTests.march)
        let log: InMemoryAuditStore
        let checkpoints: InMemoryAuditCheckpointStore
        let months: InMemoryAuditMonthStore
        let key: AuditKey
        let team = AuditChain.team(TeamID(at: AuditRetentionTests.march))
        private var shelf = AuditCheckpointShelf()

        init() async throws {
            log = InMemoryAuditStore(clock: clock)
            checkpoints = InMemoryAuditCheckpointStore(of: log)
            months = InMemoryAuditMonthStore(of: log, checkpoints, clock: clock)
            key = try AuditKey(host: "errand.test", at: AuditRetentionTests.march)
            for _ in 0..<3 {
                for chain in [AuditChain.installation, team] {
                    try await log.record(
                        (0..<5).map { _ in
                            AuditDraft(at: clock.now, team: chain.team, actor: .system, action: "act")
                        }
                    )
                    try sign(chain)
                }
                clock.advance(by: AuditRetentionTests.day * 31)
            }
        }

        private func sign(_ chain: AuditChain) throws {
            var edge = try AuditChainVerifier(chain)
            for entry in log.chains[chain, default: []] { try edge.add(entry) }
            shelf.add(try key.sign(edge))
        }

        func inspection() throws -> AuditInspection {
            AuditInspection(log, checkpoints, key: try #require(key.publicKey), shelf: shelf)
        }

        func drop(olderThan days: Int) async throws -> [String] {
            try await AuditRetention(months, inspection()).drop(olderThan: days, at: clock.now) { month, chains in
                AuditDraft(
                    at: self.clock.now,
                    team: nil,
                    actor: .system,
                    action: "audit.dropped",
                    target: "\(month.first.rfc3339.prefix(7))",
                    details: [AuditDetail("chains", "\(chains)")]
                )
            }.map { String($0.first.rfc3339.prefix(7)) }
        }
    }

    @Test func `months go in their order once they are old enough, and what follows still verifies`() async throws {
        let stage = try await Stage()
        #expect(try await stage.drop(olderThan: 100).isEmpty)
        #expect(try await stage.drop(olderThan: 60) == ["2024-03"])
        #expect(try await stage.drop(olderThan: 60).isEmpty)
        for chain in [AuditChain.installation, stage.team] {
            let report = try await stage.inspection().inspect(chain)
            #expect(report.fault == nil && report.first == 6 && report.checkpoints == 3)
        }
        #expect(try await stage.drop(olderThan: 0) == ["2024-04", "2024-05"])
        let acts = stage.log.acts(of: .installation).filter { $0.action == "audit.dropped" }
        #expect(acts.compactMap(\.target) == ["2024-03", "2024-04", "2024-05"])
        let report = try await stage.inspection().inspect(.installation)
        #expect(report.fault == nil && report.first == 16 && report.entries == 3)
    }

    /// Where somebody tampered: in the month itself, or after it, where only a later checkpoint tells.
    @Test(arguments: [2, 7, 13]) func `nothing is dropped of a log that is not whole`(place: Int) async throws {
        let stage = try await Stage()
        stage.log.chains[stage.team]?[place].canonical[20] ^= 1
        let before = stage.log.chains
        do {
            _ = try await stage.drop(olderThan: 60)
            Issue.record("a month was dropped")
        } catch let fault as AuditFault {
            #expect(fault.chain == stage.team && fault.seq == Int64(place + 1))
        }
        #expect(stage.log.chains == before && stage.checkpoints.anchors.isEmpty)
    }

    @Test func `a store that is away drops nothing`() async throws {
        let stage = try await Stage()
        stage.months.failure = .unavailable("away")
        await #expect(throws: StoreError.unavailable("away")) { _ = try await stage.drop(olderThan: 60) }
        stage.months.failure = nil
        #expect(try await stage.drop(olderThan: 60) == ["2024-03"])
    }
}
