import Bytes
import Core
import Crypto
import Platform
import TestSupport
import Testing

@testable import Store

/// The same promises, held to by PostgreSQL and by the double that other rooms test with.
@Suite struct AuditStoreTests {
    enum Backend: CaseIterable, Sendable { case memory, postgres }

    private func hold(
        _ backend: Backend,
        _ body: @escaping @Sendable (any AuditStore, World) async throws -> Void
    ) async throws {
        try await withWorld { world in
            switch backend {
            case .memory: try await body(InMemoryAuditStore(clock: ManualTime(World.start)), world)
            case .postgres: try await body(world.store.audit, world)
            }
        }
    }

    private static func chain(_ audit: any AuditStore, _ chain: AuditChain) async throws -> [StoredAuditEntry] {
        try await audit.stored(chain, after: .start, limit: 10_000)
    }

    @Test(arguments: Backend.allCases) func `an entry says what its draft said, and its hash covers it`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { audit, _ in
            let draft = AuditDraft(
                at: World.start,
                team: TeamID(at: World.start),
                actor: .user(UserID(at: World.start), device: SignInID(at: World.start)),
                action: "project.created",
                outcome: .refused,
                target: "prj_1\n\u{1b}[31m",
                address: "203.0.113.9",
                userAgent: "curl/8 \u{202e}",
                request: RequestID(at: World.start),
                details: [AuditDetail("name", "é"), AuditDetail("name", "")]
            )
            try await audit.record([draft])
            let stored = try #require(try await Self.chain(audit, AuditChain(draft.team)).first)
            let entry = try #require(AuditEntry(canonical: stored.canonical))
            #expect(entry.id == draft.id && entry.at == draft.at && entry.team == draft.team)
            #expect(entry.actor == draft.actor && entry.action == draft.action && entry.outcome == .refused)
            #expect(entry.target == draft.target && entry.request == draft.request)
            let personal = try #require(stored.personal)
            #expect(entry.personalDigest == Digest.sha256(personal))
            let part = try #require(AuditPersonalPart(personal))
            #expect(part.address == draft.address && part.userAgent == draft.userAgent && part.details == draft.details)
            #expect(stored.position.seq == 1 && stored.previousHash == StoredAuditEntry.noHash)
            #expect(stored.hash == Digest.sha256(stored.hashedBytes))
            #expect(stored.actor == draft.actor.text && stored.action == draft.action && stored.target == draft.target)
        }
    }

    @Test(arguments: Backend.allCases) func `each entry carries the hash of the one before, per chain`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { audit, _ in
            let teams = [TeamID(at: World.start), TeamID(at: World.start)]
            for round in 0..<3 {
                // Not in the order of the chains, and more than one for each.
                try await audit.record([
                    .sample("a\(round)", team: teams[1]), .sample("b\(round)"), .sample("c\(round)", team: teams[0]),
                    .sample("d\(round)", team: teams[1]),
                ])
            }
            for (chain, actions) in [
                (AuditChain.installation, ["b0", "b1", "b2"]), (.team(teams[0]), ["c0", "c1", "c2"]),
                (.team(teams[1]), ["a0", "d0", "a1", "d1", "a2", "d2"]),
            ] {
                let entries = try await Self.chain(audit, chain)
                #expect(entries.map(\.action) == actions)
                #expect(entries.map(\.position.seq) == (1...Int64(actions.count)).map(\.self))
                #expect(entries.map(\.previousHash) == [StoredAuditEntry.noHash] + entries.dropLast().map(\.hash))
                #expect(entries.allSatisfy { $0.hash == Digest.sha256($0.hashedBytes) })
            }
            let heads = try await audit.heads(after: nil, limit: 10)
            #expect(heads.map(\.chain) == [.installation, .team(teams[0]), .team(teams[1])].sorted())
            #expect(heads.map(\.position.seq).sorted() == [3, 3, 6])
            #expect(try await audit.heads(after: heads[0].chain, limit: 1) == [heads[1]])
        }
    }

    @Test(arguments: Backend.allCases) func `pages stay stable while entries are added`(_ backend: Backend) async throws
    {
        try await hold(backend) { audit, _ in
            try await audit.record((0..<7).map { .sample("act\($0)") })
            func page(_ position: AuditPosition) async throws -> AuditPage {
                try await audit.entries(
                    of: .installation,
                    matching: AuditFilter(),
                    before: position,
                    limit: 3,
                    scope: .system
                )
            }
            let first = try await page(.end)
            #expect(first.items.map(\.action) == ["act6", "act5", "act4"])
            try await audit.record([.sample("late")])
            let second = try await page(try #require(first.next))
            #expect(second.items.map(\.action) == ["act3", "act2", "act1"])
            let third = try await page(try #require(second.next))
            #expect(third.items.map(\.action) == ["act0"] && third.next == nil)
        }
    }

    @Test(arguments: Backend.allCases) func `a listing is narrowed by actor, action, target and time`(
        _ backend: Backend
    ) async throws {
        try await hold(backend) { audit, _ in
            let user = UserID(at: World.start)
            try await audit.record([
                .sample("a", actor: .user(user, device: nil), target: "x"), .sample("b", target: "y"),
                .sample("a", actor: .administrator("root"), target: "y"),
            ])
            func count(_ change: (inout AuditFilter) -> Void) async throws -> Int {
                var filter = AuditFilter()
                change(&filter)
                let page = try await audit.entries(
                    of: .installation,
                    matching: filter,
                    before: .end,
                    limit: 10,
                    scope: .system
                )
                return page.items.count
            }
            let moment = try #require(try await Self.chain(audit, .installation).first).position.recordedAt
            #expect(try await count { $0.action = "a" } == 2)
            #expect(try await count { $0.actor = user.description } == 1)
            #expect(try await count { $0.actor = "administrator:root" } == 1)
            #expect(try await count { $0.target = "y" } == 2)
            #expect(
                try await count {
                    $0.action = "b"; $0.target = "x"
                } == 0
            )
            #expect(try await count { $0.from = moment } == 3)
            #expect(try await count { $0.to = moment } == 0)
            #expect(try await count { $0.from = moment.adding(seconds: 60) } == 0)
            #expect(try await count { $0.to = moment.adding(seconds: 60) } == 3)
        }
    }

    @Test func `what is too long is cut with a mark, and no NUL gets in`() async throws {
        try await hold(.postgres) { audit, _ in
            var draft = AuditDraft.sample(String(repeating: "é", count: 100), target: "a\0b")
            draft.userAgent = String(repeating: "u", count: 1 << 20)
            draft.details = (0..<100).map { AuditDetail("n\($0)", String(repeating: "v", count: 1 << 20)) }
            try await audit.record([draft])
            let stored = try #require(try await Self.chain(audit, .installation).first)
            #expect(stored.action.utf8.count <= AuditLimits.action && stored.action.hasSuffix(AuditLimits.mark))
            #expect(stored.target == "a\u{fffd}b")
            let part = try #require(stored.personal.flatMap { AuditPersonalPart($0) })
            #expect(part.userAgent?.utf8.count == AuditLimits.userAgent)
            #expect(part.details.count == AuditLimits.details && part.details.last?.value.hasPrefix("100 ") == true)
            #expect(part.details.first?.value.utf8.count == AuditLimits.detailValue)
            #expect(stored.canonical.count < 1_024)
        }
    }

    @Test func `a statement records its act only when it changed something, and not when it fails`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let before = try await world.acts(of: .team(person.team.id)).count
            let pool = PostgresPool(try ConnectionParameters(world.url), size: 1, loop: world.loop)
            try await pool.start()
            let rename = AuditStatements.audited(
                "test.rename",
                parameters: 2,
                "update projects p set name = $2::text where p.id = $1::uuid returning p.name"
            )
            func run(_ id: ProjectID, _ name: String) async throws(StoreError) -> Int {
                let draft = AuditDraft.sample("project.renamed", team: person.team.id)
                let values: [PostgresValue] = [.id(id), .text(name)] + AuditStatements.values([draft])
                return try await pool.run(person.scope, rename(values)).count
            }
            #expect(try await run(person.project.id, "new") == 1)
            #expect(try await world.acts(of: .team(person.team.id)).count == before + 1)
            #expect(try await run(ProjectID(at: World.start), "new") == 0)
            let other = try await world.project(in: person.team.id)
            let then = try await world.acts(of: .team(person.team.id)).count
            await #expect(throws: StoreError.conflict(field: "name")) { try await run(other.id, "new") }
            #expect(try await world.acts(of: .team(person.team.id)).count == then)
            let probe = AuditStatements.audited(
                "test.verdict",
                parameters: 1,
                when: "act.verdict = 'yes'",
                "select $1::text as verdict"
            )
            for verdict in ["yes", "no"] {
                let values = [.text(verdict)] + AuditStatements.values([.sample("said.\(verdict)")])
                #expect(try await pool.run(.system, probe(values)).count == 1)
            }
            #expect(try await world.acts(of: .installation).map(\.action).suffix(1) == ["said.yes"])
            await pool.close()
        }
    }

    @Test func `many writers of many chains neither wait in a circle nor break a chain`() async throws {
        try await withWorld(connections: 4) { world in
            let second = try Store(configuration: StoreConfiguration(url: world.url, connections: 4), loop: world.loop)
            try await second.start()
            let teams = (0..<6).map { _ in TeamID(at: World.start) }
            _ = try await world.atOnce(200) { index in
                let store = index % 2 == 0 ? world.store : second
                try await store.audit.record(
                    (0..<5).map { .sample("act", team: teams[(index * 7 + $0 * (index % 3 + 1)) % 6]) }
                )
            }
            var total = 0
            for team in teams {
                let entries = try await Self.chain(world.store.audit, .team(team))
                #expect(entries.map(\.position.seq) == Array(1...Int64(entries.count)))
                #expect(entries.dropFirst().map(\.previousHash) == entries.dropLast().map(\.hash))
                #expect(entries.map(\.position) == entries.map(\.position).sorted())
                total += entries.count
            }
            #expect(total == 1_000)
            await second.close()
        }
    }

    @Test func `a chain that is not in order is refused whole`() async throws {
        try await withWorld { world in
            let pool = PostgresPool(try ConnectionParameters(world.url), size: 1, loop: world.loop)
            try await pool.start()
            let sealed = [
                SealedAuditDraft(.sample("b", team: TeamID(at: World.start))), SealedAuditDraft(.sample("a")),
            ]
            let append = PostgresStatement("raw", "select errand_audit_append(\(AuditStatements.arguments(after: 0)))")
            await #expect(throws: StoreError.self) {
                _ = try await pool.run(.system, append(AuditStatements.values(sealed)))
            }
            #expect(try await world.acts(of: .installation).isEmpty)
            #expect(try await world.store.audit.heads(after: nil, limit: 10).isEmpty)
            await pool.close()
        }
    }
}
