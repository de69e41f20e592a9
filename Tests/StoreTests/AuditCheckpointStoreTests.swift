import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// The same promises, held to by PostgreSQL and by the double that other rooms test with.
@Suite struct AuditCheckpointStoreTests {
    private func hold(
        _ backend: AuditStoreTests.Backend,
        _ body: @escaping @Sendable (any AuditStore, any AuditCheckpointStore) async throws -> Void
    ) async throws {
        try await withWorld { world in
            switch backend {
            case .memory:
                let log = InMemoryAuditStore(clock: ManualTime(World.start))
                try await body(log, InMemoryAuditCheckpointStore(of: log))
            case .postgres: try await body(world.store.audit, world.store.auditCheckpoints)
            }
        }
    }

    private static func checkpoint(_ chain: AuditChain, _ size: Int64, at time: Timestamp) -> StoredAuditCheckpoint {
        StoredAuditCheckpoint(
            chain: chain,
            position: AuditPosition(recordedAt: time, seq: size),
            hash: [UInt8](repeating: 1, count: 32),
            frontier: [UInt8](repeating: 2, count: 64),
            note: "note \(size)\n",
            signedAt: time
        )
    }

    @Test(arguments: AuditStoreTests.Backend.allCases) func `a chain is due by new entries or by age`(
        _ backend: AuditStoreTests.Backend
    ) async throws {
        try await hold(backend) { log, checkpoints in
            let team = AuditChain.team(TeamID(at: World.start))
            try await log.record([.sample("a"), .sample("b"), .sample("c", team: team.team)])
            func due(_ entries: Int, _ before: Timestamp, after chain: AuditChain? = nil) async throws -> [AuditChain] {
                try await checkpoints.due(entries: entries, signedBefore: before, after: chain, limit: 10)
            }
            let early = World.start.adding(seconds: -1)
            // What was never signed is due.
            #expect(try await due(100, early) == [.installation, team])
            #expect(try await due(100, early, after: .installation) == [team])
            try await checkpoints.save(Self.checkpoint(.installation, 1, at: World.start))
            try await checkpoints.save(Self.checkpoint(team, 1, at: World.start))
            #expect(try await due(2, early).isEmpty)
            #expect(try await due(1, early) == [.installation])
            #expect(try await due(2, World.start) == [.installation])
            // More than there is, and of a time that has not come: not a reason to leave the chain alone.
            try await checkpoints.save(Self.checkpoint(team, 1 << 40, at: World.start.adding(seconds: 1_000_000)))
            #expect(try await due(2, early) == [team])
        }
    }

    @Test(arguments: AuditStoreTests.Backend.allCases) func `a checkpoint is kept as it is, the first of its size`(
        _ backend: AuditStoreTests.Backend
    ) async throws {
        try await hold(backend) { log, checkpoints in
            try await log.record([.sample("a")])
            #expect(try await checkpoints.lastCheckpoint(.installation) == nil)
            let sizes: [Int64] = [3, 1, 7]
            for size in sizes { try await checkpoints.save(Self.checkpoint(.installation, size, at: World.start)) }
            var twin = Self.checkpoint(.installation, 3, at: World.start.adding(seconds: 5))
            twin.note = "other"
            try await checkpoints.save(twin)
            let found = try await checkpoints.checkpoints(.installation, above: 0, limit: 10)
            #expect(found == [1, 3, 7].map { Self.checkpoint(.installation, $0, at: World.start) })
            #expect(try await checkpoints.checkpoints(.installation, above: 1, limit: 1).map(\.position.seq) == [3])
            #expect(try await checkpoints.lastCheckpoint(.installation)?.position.seq == 7)
            let team = AuditChain.team(TeamID(at: World.start))
            try await checkpoints.save(Self.checkpoint(team, 2, at: World.start))
            let written = AuditChain.team(TeamID(at: World.start.adding(seconds: 1)))
            try await log.record([.sample("b", team: written.team)])
            #expect(try await checkpoints.chains(after: nil, limit: 10) == [.installation, team, written])
            #expect(try await checkpoints.chains(after: nil, limit: 2) == [.installation, team])
            #expect(try await checkpoints.chains(after: team, limit: 10) == [written])
            let orphan = AuditChain.team(TeamID(at: World.start.adding(seconds: 2)))
            for size in 1...3 { try await checkpoints.save(Self.checkpoint(orphan, Int64(size), at: World.start)) }
            #expect(try await checkpoints.chains(after: team, limit: 10) == [written, orphan])
            #expect(try await log.head(of: written)?.position.seq == 1)
            #expect(try await log.head(of: team) == nil)
            #expect(try await checkpoints.anchor(team) == nil)
            try await checkpoints.openNextMonth()
        }
    }

    @Test func `one of all servers is elected, and another when it goes`() async throws {
        try await withWorld { world in
            let first = try AuditElection(url: world.url, loop: world.loop)
            let second = try AuditElection(url: world.url, loop: world.loop)
            #expect(await first.isElected())
            #expect(await !second.isElected())
            #expect(await first.isElected())
            first.resign()
            while await !second.isElected() { await world.loop.sleep(.milliseconds(5)) }
            #expect(await !first.isElected())
            second.resign()
        }
    }
}
