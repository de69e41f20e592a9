import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// Row-level security alone, with every check of the layers above left out: statements as the servers' role sends them.
@Suite struct SecondWallTests {
    /// A table whose rows belong to teams, and the column that says so.
    private struct TeamTable: Hashable {
        let name: String
        let column: String
        /// All columns that a row is made of; the others follow from them.
        let columns: String
    }

    private static let catalog = PostgresStatement(
        "wall.tables",
        """
        select c.relname::text, max(a.attname::text), (
            select string_agg(b.attname, ', ' order by b.attnum) from pg_attribute b
            where b.attrelid = c.oid and b.attnum > 0 and not b.attisdropped and b.attgenerated = ''
        )
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
        where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
            and (a.attname in ('team_id', 'chain') or c.relname = 'teams' and a.attname = 'id')
        group by c.oid, c.relname order by 1
        """
    )

    /// What the schema says, so that a table that comes later is held to it too.
    private static func tables(_ session: PostgresConnection) async throws -> [TeamTable] {
        try await session.run(catalog()).rows { row throws(StoreError) in
            TeamTable(name: try row.value(), column: try row.value(), columns: try row.value())
        }
    }

    /// Tables that only the servers' own statements read; the others must show their members something.
    private static let internalTables: Set<String> = ["audit_anchors", "audit_checkpoints", "audit_heads", "outbox"]

    /// A team with a row in every table that has teams: with a second member who has a role of their own in the project.
    private static func settle(_ world: World) async throws -> Person {
        let (person, guest) = (try await world.person(), try await world.person())
        let team = person.team.id
        _ = try await world.store.teams.addMember(
            guest.user.id,
            to: team,
            role: .viewer,
            now: World.start,
            audit: .sample("member.added", team: team)
        )
        let own = try await world.store.teams.setRole(
            of: guest.user.id,
            in: person.project.id,
            to: .admin,
            scope: person.scope,
            audit: .sample("member.role_changed", team: team)
        )
        #expect(own == .done)
        let invite = Invite(
            id: InviteID(at: World.start),
            teamID: team,
            role: .member,
            email: nil,
            invitedBy: nil,
            createdAt: World.start,
            expiresAt: World.start.adding(seconds: 60)
        )
        let invited = try await world.store.invites.create(
            invite,
            tokenHash: team.uuidBytes + team.uuidBytes,
            scope: person.scope,
            audit: .sample("invite.created", team: team)
        )
        #expect(invited == .done)
        try await world.submit([world.job(person)], by: person)
        try await settleQuotas(person, world)
        try await world.register(1)
        try await world.setModelKey(of: .team(team), by: person)
        try await world.client(of: person)
        let account = try await world.serviceAccount(in: person)
        _ = try await world.key(of: person, serviceAccount: account.id)
        return person
    }

    /// What a team may have, has and has spent.
    private static func settleQuotas(_ person: Person, _ world: World) async throws {
        let audit = AuditDraft.sample("quota.changed", team: person.team.id)
        let (quotas, team) = (world.store.quotas, person.team.id)
        #expect(try await quotas.setQuota(.projects, .limit(9), of: team, now: World.start, audit: audit))
        let (project, scope, now) = (person.project.id, person.scope, World.start)
        let hold = try #require(try await quotas.holdWorkspace(project, bytes: 10, scope: scope, now: now))
        try await quotas.settleWorkspace(hold, bytes: 10, scope: scope)
        #expect(try await quotas.holdWorkspace(project, bytes: 20, scope: scope, now: now) != nil)
        let session = try await Self.session(world)
        defer { session.close() }
        let spend = PostgresStatement(
            "wall.spend",
            "insert into team_spend (team_id, day) values ($1::uuid, '2026-09-21')"
        )
        _ = try await session.run(PostgresGroup(.system, [spend([.id(team)])])).at(0)
    }

    private static func session(_ world: World) async throws -> PostgresConnection {
        try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
    }

    private static func rows(
        _ table: TeamTable,
        of team: TeamID,
        _ scope: Scope?,
        _ session: PostgresConnection
    ) async throws -> Int {
        let statement = PostgresStatement(
            "wall.count.\(table.name)",
            "select count(*) from \(table.name) where \(table.column) = $1::uuid"
        )
        let answer = try await session.run(PostgresGroup(scope, [statement([.id(team)])])).at(0)
        return try answer.first { row throws(StoreError) in try row.value(Int.self) } ?? -1
    }

    @Test func `another team's rows are in no table to be read`() async throws {
        try await withWorld { world in
            let (mine, theirs) = (try await Self.settle(world), try await Self.settle(world))
            let session = try await Self.session(world)
            defer { session.close() }
            let tables = try await Self.tables(session)
            #expect(tables.count >= 8)
            for table in tables where !Self.internalTables.contains(table.name) {
                #expect(
                    try await Self.rows(table, of: theirs.team.id, .system, session) > 0,
                    "nothing in \(table.name)"
                )
                #expect(try await Self.rows(table, of: mine.team.id, mine.scope, session) > 0, "\(table.name)")
            }
            for table in tables {
                for scope in [mine.scope, .team(mine.team.id), nil] {
                    #expect(try await Self.rows(table, of: theirs.team.id, scope, session) == 0, "\(table.name)")
                }
            }
        }
    }

    @Test func `another team's rows can in no table be changed, deleted or made`() async throws {
        try await withWorld { world in
            let (mine, theirs) = (try await Self.settle(world), try await Self.settle(world))
            let session = try await Self.session(world)
            defer { session.close() }
            for table in try await Self.tables(session) {
                for (verb, text) in [
                    (
                        "update",
                        "update \(table.name) set \(table.column) = \(table.column) where \(table.column) = $1::uuid"
                    ),
                    ("delete", "delete from \(table.name) where \(table.column) = $1::uuid"),
                ] {
                    let statement = PostgresStatement("wall.\(verb).\(table.name)", text)
                    let group = PostgresGroup(mine.scope, [statement([.id(theirs.team.id)])])
                    do throws(StoreError) {
                        #expect(try await session.run(group).at(0).affected == 0, "\(verb) \(table.name)")
                    } catch {
                        #expect(Self.isRefused(error), "\(verb) \(table.name): \(error)")
                    }
                }
                guard !Self.internalTables.contains(table.name) else { continue }
                let copy = try await Self.oneRow(of: table, theirs.team.id, world)
                let insert = PostgresStatement(
                    "wall.insert.\(table.name)",
                    "insert into \(table.name) (\(table.columns)) "
                        + "select \(table.columns) from json_populate_record(null::\(table.name), $1::json)"
                )
                do throws(StoreError) {
                    _ = try await session.run(PostgresGroup(mine.scope, [insert([.text(copy)])]))
                    Issue.record("a row was made in \(table.name)")
                } catch {
                    #expect(Self.isRefused(error), "insert into \(table.name): \(error)")
                }
            }
        }
    }

    /// Permission denied, or a row that a policy does not let in.
    private static func isRefused(_ error: StoreError) -> Bool {
        guard case .failed(_, sqlState: "42501") = error else { return false }
        return true
    }

    /// A row of the other team as JSON, read past every policy.
    private static func oneRow(of table: TeamTable, _ team: TeamID, _ world: World) async throws -> String {
        let cluster = try #require(PrivateDatabase.shared)
        let found = try await TestDatabases.superuser(cluster, database: world.database) { session in
            let statement = PostgresStatement(
                "wall.copy",
                "select row_to_json(r)::text from \(table.name) r where r.\(table.column) = $1::uuid limit 1"
            )
            return try await session.run(statement([.id(team)])).first { row throws(StoreError) in
                try row.value(String.self)
            }
        }
        return try #require(found, "nothing in \(table.name)")
    }

    @Test func `a viewer's scope writes nothing in the own team, and a member's does`() async throws {
        try await withWorld { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            let job = try #require(try await world.submit([world.job(owner)], by: owner).first)
            func join(_ role: Role) async throws {
                _ = try await world.store.teams.removeMember(
                    guest.user.id,
                    from: owner.team.id,
                    scope: .system,
                    audit: .sample("x")
                )
                _ = try await world.store.teams.addMember(
                    guest.user.id,
                    to: owner.team.id,
                    role: role,
                    now: World.start,
                    audit: .sample("x")
                )
            }
            let projects = world.store.projects
            func made(_ name: String) -> Project {
                var project = owner.project
                (project.id, project.name) = (ProjectID(at: World.start), name)
                return project
            }
            try await join(.viewer)
            #expect(try await projects.project(owner.project.id, scope: guest.scope)?.role == .viewer)
            #expect(
                try await projects.updateProject(owner.project.id, name: "x", policy: nil, scope: guest.scope) == nil
            )
            await #expect(throws: StoreError.notFound) {
                try await projects.createProject(made("y"), scope: guest.scope)
            }
            #expect(try await world.store.jobs.requestCancel(job.id, scope: guest.scope, now: World.start) == nil)
            let new = NewJob(job: world.job(owner), idempotencyKey: nil, requestHash: [1])
            guard case .projectGone = try await world.store.jobs.submit([new], scope: guest.scope).first else {
                Issue.record("a viewer has submitted a job")
                return
            }
            try await join(.member)
            #expect(
                try await projects.updateProject(owner.project.id, name: "x", policy: nil, scope: guest.scope) != nil
            )
            try await projects.createProject(made("y"), scope: guest.scope)
            guard case .created = try await world.store.jobs.submit([new], scope: guest.scope).first else {
                Issue.record("a member cannot submit a job")
                return
            }
            guard
                case .cancelled = try await world.store.jobs.requestCancel(job.id, scope: guest.scope, now: World.start)
            else {
                Issue.record("a member cannot cancel a job")
                return
            }
        }
    }

    @Test func `a role in one project counts there and nowhere else`() async throws {
        try await withWorld { world in
            let (owner, guest) = (try await world.person(), try await world.person())
            let second = try await world.project(in: owner.team.id)
            _ = try await world.store.teams.addMember(
                guest.user.id,
                to: owner.team.id,
                role: .viewer,
                now: World.start,
                audit: .sample("x")
            )
            _ = try await world.store.teams.setRole(
                of: guest.user.id,
                in: owner.project.id,
                to: .member,
                scope: owner.scope,
                audit: .sample("x")
            )
            let projects = world.store.projects
            #expect(try await projects.project(owner.project.id, scope: guest.scope)?.role == .member)
            #expect(try await projects.project(second.id, scope: guest.scope)?.role == .viewer)
            for (project, isAllowed) in [(owner.project, true), (second, false)] {
                let job = world.job(owner, project: project)
                let new = NewJob(job: job, idempotencyKey: nil, requestHash: [1])
                let submitted = try await world.store.jobs.submit([new], scope: guest.scope).first
                if case .created = submitted { #expect(isAllowed) } else { #expect(!isAllowed) }
                let changed = try await projects.updateProject(
                    project.id,
                    name: nil,
                    policy: .readOnly,
                    scope: guest.scope
                )
                #expect((changed != nil) == isAllowed)
            }
            let job = try #require(try await world.submit([world.job(owner)], by: owner).first)
            #expect(try await world.store.jobs.job(job.id, scope: guest.scope)?.role == .member)
        }
    }

    @Test func `two thousand groups of many scopes at once on one session see nothing of each other`() async throws {
        try await withWorld(connections: 1) { world in
            var people: [Person] = []
            for _ in 0..<8 { people.append(try await Self.settle(world)) }
            let everyone = people
            let session = try await Self.session(world)
            defer { session.close() }
            let tables = try await Self.tables(session).filter { !Self.internalTables.contains($0.name) }
            let failures = try await world.atOnce(2_000) { index -> String? in
                let person = everyone[index % everyone.count]
                let table = tables[index / everyone.count % tables.count]
                if index % 5 == 4 {
                    let all = try await Self.rows(table, of: person.team.id, .system, session)
                    return all > 0 ? nil : "the system sees nothing in \(table.name)"
                }
                let statement = PostgresStatement(
                    "wall.load.\(table.name)",
                    """
                    select count(*) filter (where \(table.column) = $1::uuid),
                        count(*) filter (where \(table.column) <> $1::uuid)
                    from \(table.name)
                    """
                )
                let answer = try await session.run(PostgresGroup(person.scope, [statement([.id(person.team.id)])])).at(
                    0
                )
                let counts = try answer.first { row throws(StoreError) in
                    (own: try row.value(Int.self), foreign: try row.value(Int.self))
                }
                guard let counts, counts.own > 0, counts.foreign == 0 else {
                    return "\(table.name): \(String(describing: counts))"
                }
                return nil
            }
            #expect(failures.count == 2_000)
            #expect(failures.compactMap(\.self).isEmpty)
        }
    }
}
