import Bytes
import Core
import Crypto
import Platform
import TestSupport
import Testing

@testable import Store

/// The same promises, held to by PostgreSQL and by the double that other rooms test with.
@Suite struct AuditMonthStoreTests {
    private static let march = Timestamp(milliseconds: 1_710_000_000_000)
    private static let may = Timestamp(milliseconds: 1_715_500_000_000)

    /// A log with three entries of one March, two of the May after it, and one of now.
    private struct Stage {
        let log: any AuditStore
        let checkpoints: any AuditCheckpointStore
        let months: any AuditMonthStore
        let now: Timestamp
    }

    private func hold(
        _ backend: AuditStoreTests.Backend,
        _ body: @escaping @Sendable (Stage) async throws -> Void
    ) async throws {
        try await withWorld { world in
            let now = WallClock.now()
            switch backend {
            case .memory:
                let clock = ManualTime(Self.march)
                let log = InMemoryAuditStore(clock: clock)
                try await log.record((0..<3).map { _ in .sample("march") })
                clock.now = Self.may
                try await log.record((0..<2).map { _ in .sample("may") })
                clock.now = now
                let checkpoints = InMemoryAuditCheckpointStore(of: log)
                try await log.record([.sample("now")])
                let months = InMemoryAuditMonthStore(of: log, checkpoints, clock: clock)
                try await body(Stage(log: log, checkpoints: checkpoints, months: months, now: now))
            case .postgres:
                try await Self.write(in: world)
                try await world.store.audit.record([.sample("now")])
                let cluster = try #require(PrivateDatabase.shared)
                let months = try await PostgresAuditMonthStore.open(
                    url: cluster.connection(database: world.database, user: "postgres"),
                    on: world.loop
                )
                defer { months.close() }
                let (log, checkpoints) = (world.store.audit, world.store.auditCheckpoints)
                try await body(Stage(log: log, checkpoints: checkpoints, months: months, now: now))
            }
        }
    }

    /// Writes the old entries as the superuser: through the front door an entry is dated today.
    private static func write(in world: World) async throws {
        let log = InMemoryAuditStore(clock: ManualTime(march))
        try await log.record((0..<3).map { _ in .sample("march") })
        let clock = ManualTime(may)
        let later = InMemoryAuditStore(clock: clock)
        later.chains = log.chains
        try await later.record((0..<2).map { _ in .sample("may") })
        let entries = later.chains[.installation, default: []]
        let last = try #require(entries.last)
        func literal(_ bytes: [UInt8]) -> String { "'\\x\(Hex.encode(bytes))'" }
        var script = ""
        for moment in [march, may] { script += "select errand_audit_open_month(\(moment.milliseconds));\n" }
        let zero = "'00000000-0000-0000-0000-000000000000'"
        for entry in entries {
            script += """
                insert into audit_entries
                    (chain, seq, recorded_ms, prev_hash, hash, canonical, personal, actor, action, target)
                values (\(zero), \(entry.position.seq), \(entry.position.recordedAt.milliseconds),
                    \(literal(entry.previousHash)), \(literal(entry.hash)), \(literal(entry.canonical)),
                    \(literal(entry.personal ?? [])), '\(entry.actor)', '\(entry.action)', null);

                """
        }
        script += """
            insert into audit_heads (chain, seq, hash, recorded_ms)
            values (\(zero), \(last.position.seq), \(literal(last.hash)), \(last.position.recordedAt.milliseconds))
            """
        let statements = script
        try await TestDatabases.superuser(try #require(PrivateDatabase.shared), database: world.database) { session in
            try await session.script(statements, stage: "write")
        }
    }

    private static func anchor(_ end: AuditHead) -> AuditAnchor {
        AuditAnchor(
            chain: end.chain,
            position: end.position,
            hash: end.hash,
            frontier: [UInt8](repeating: 1, count: 64)
        )
    }

    @Test(arguments: AuditStoreTests.Backend.allCases)
    func `the oldest month goes as a whole, and with it only what its anchors name`(
        _ backend: AuditStoreTests.Backend
    ) async throws {
        try await hold(backend) { stage in
            let months = try await stage.months.months().filter { $0.first < stage.now }
            #expect(months.map { String($0.first.rfc3339.prefix(7)) }.prefix(2) == ["2024-03", "2024-05"])
            #expect(months.allSatisfy { !$0.isDropped && $0.first < $0.end })
            let ends = try await stage.months.ends(of: months[0], after: nil, limit: 10)
            #expect(ends.map(\.chain) == [.installation] && ends.map(\.position.seq) == [3])
            #expect(try await stage.months.ends(of: months[0], after: .installation, limit: 10).isEmpty)
            let anchor = Self.anchor(ends[0])
            // Without its anchor, with another's, or out of its order a month stays.
            var wrong = anchor
            wrong.hash[0] ^= 1
            for (month, anchors) in [(months[0], []), (months[0], [wrong]), (months[1], [anchor])] {
                await #expect(throws: StoreError.self) {
                    try await stage.months.drop(month, anchors: anchors, audit: .sample("audit.dropped"))
                }
            }
            #expect(try await stage.log.stored(.installation, after: .start, limit: 100).count == 6)
            try await stage.months.drop(months[0], anchors: [anchor], audit: .sample("audit.dropped"))
            let left = try await stage.log.stored(.installation, after: .start, limit: 100)
            #expect(left.map(\.position.seq) == [4, 5, 6, 7])
            #expect(left.map(\.action) == ["may", "may", "now", "audit.dropped"])
            #expect(try await stage.checkpoints.anchor(.installation) == anchor)
            #expect(try await stage.months.months().first { $0.first == months[0].first }?.isDropped == true)
            // Again it is not the oldest any more, and what is not over is never dropped.
            await #expect(throws: StoreError.self) {
                try await stage.months.drop(months[0], anchors: [], audit: .sample("audit.dropped"))
            }
            let may = Self.anchor(try #require(try await stage.months.ends(of: months[1], after: nil, limit: 9).first))
            try await stage.months.drop(months[1], anchors: [may], audit: .sample("audit.dropped"))
            let present = try #require(try await stage.months.months().first { !$0.isDropped })
            let now = try await stage.months.ends(of: present, after: nil, limit: 9).map(Self.anchor)
            await #expect(throws: StoreError.self) {
                try await stage.months.drop(present, anchors: now, audit: .sample("audit.dropped"))
            }
        }
    }

    @Test func `the servers' role is no keeper of months`() async throws {
        try await withWorld { world in
            let months = try await PostgresAuditMonthStore.open(url: world.url, on: world.loop)
            defer { months.close() }
            let first = try #require(try await months.months().first)
            await #expect(throws: StoreError.self) {
                try await months.drop(first, anchors: [], audit: .sample("audit.dropped"))
            }
        }
    }
}
