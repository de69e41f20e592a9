import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// What the database itself refuses, whoever asks.
@Suite struct AuditWallTests {
    private static let changes = [
        "update audit_entries set action = 'x'", "delete from audit_entries", "truncate audit_entries",
        "update audit_heads set seq = 0", "delete from audit_heads",
        "insert into audit_entries (chain, seq, recorded_ms, prev_hash, hash, canonical, actor, action) "
            + "select chain, seq + 1, recorded_ms, prev_hash, hash, canonical, actor, action from audit_entries",
        "update audit_months set dropped_at = now()",
        "select errand_audit_drop(0, '{}', '{}', '{}', '{}', '{}')",
    ]

    @Test(arguments: changes) func `the servers' role can only append and read`(statement: String) async throws {
        try await withWorld { world in
            try await world.store.audit.record([.sample("act")])
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            let change = PostgresStatement("change", statement)
            await #expect(throws: StoreError.self) {
                _ = try await session.run(PostgresGroup(.system, [change()]))
            }
            #expect(try await world.acts(of: .installation).map(\.action) == ["act"])
        }
    }

    @Test(arguments: changes.prefix(3)) func `not even a superuser changes an entry by a plain statement`(
        statement: String
    ) async throws {
        try await withWorld { world in
            try await world.store.audit.record([.sample("act")])
            let cluster = try #require(PrivateDatabase.shared)
            await #expect(throws: StoreError.self) {
                try await TestDatabases.superuser(cluster, database: world.database) { session in
                    try await session.script(statement, stage: "change")
                }
            }
            try await TestDatabases.superuser(cluster, database: world.database) { session in
                try await session.script("update audit_entries set personal = null", stage: "erase")
            }
            let entries = try await world.store.audit.stored(.installation, after: .start, limit: 9)
            #expect(entries.map(\.action) == ["act"] && entries.map(\.personal) == [nil])
        }
    }

    @Test func `a member reads the own team's chain and no other`() async throws {
        try await withWorld { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            try await world.store.audit.record([
                .sample("mine", team: mine.team.id), .sample("theirs", team: theirs.team.id), .sample("outside"),
            ])
            func seen(_ chain: AuditChain, _ scope: Scope) async throws -> String? {
                try await world.store.audit.entries(
                    of: chain,
                    matching: AuditFilter(),
                    before: .end,
                    limit: 1,
                    scope: scope
                ).items.first?.action
            }
            func walked(_ chain: AuditChain, _ scope: Scope) async throws -> [String] {
                try await world.store.audit.stored(chain, after: .start, limit: 9, scope: scope).map(\.action)
            }
            #expect(try await walked(.team(mine.team.id), mine.scope).last == "mine")
            #expect(try await walked(.team(theirs.team.id), mine.scope).isEmpty)
            #expect(try await walked(.installation, mine.scope).isEmpty)
            #expect(try await seen(.team(mine.team.id), mine.scope) == "mine")
            #expect(try await seen(.team(theirs.team.id), mine.scope) == nil)
            #expect(try await seen(.installation, mine.scope) == nil)
            #expect(try await seen(.installation, .system) == "outside")
        }
    }

    @Test func `an entry is never dated before its predecessor, and finds the partition of its month`() async throws {
        try await withWorld { world in
            try await world.store.audit.record([.sample("first")])
            let head = try #require(try await world.store.audit.heads(after: nil, limit: 1).first)
            // The clock was five years ahead when the last entry was written.
            let ahead = head.position.recordedAt.milliseconds + 5 * 365 * 86_400_000
            try await TestDatabases.superuser(try #require(PrivateDatabase.shared), database: world.database) {
                session in
                try await session.script("update audit_heads set recorded_ms = \(ahead)", stage: "clock")
            }
            try await world.store.audit.record([.sample("second")])
            let entries = try await world.store.audit.stored(.installation, after: .start, limit: 9)
            #expect(entries.map(\.action) == ["first", "second"])
            #expect(entries.last?.position.recordedAt.milliseconds == ahead)
        }
    }
}

extension AuditDraft {
    /// An act of nobody in particular.
    static func sample(
        _ action: String,
        team: TeamID? = nil,
        actor: AuditActor = .system,
        target: String? = nil
    ) -> AuditDraft {
        AuditDraft(at: World.start, team: team, actor: actor, action: action, target: target)
    }
}

extension World {
    /// What a chain says, oldest first.
    func acts(of chain: AuditChain) async throws -> [AuditEntry] {
        try await store.audit.stored(chain, after: .start, limit: 10_000).compactMap {
            AuditEntry(canonical: $0.canonical)
        }
    }
}
