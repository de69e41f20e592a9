import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// Row-level security holds a key to its team and its projects, past every check of the layers above.
@Suite struct KeyWallTests {
    private static func ids(_ table: String, _ scope: Scope, _ session: PostgresConnection) async throws -> [JobID] {
        let statement = PostgresStatement("ids.\(table)", "select id from \(table) order by id")
        return try await session.run(PostgresGroup(scope, [statement()])).at(0).rows { row throws(StoreError) in
            try row.value()
        }
    }

    private static func bare<N>(_ id: ID<N>) -> JobID { JobID(high: id.high, low: id.low) }

    @Test func `a key's scope shows its team and no other, a limited one its projects and their jobs alone`()
        async throws
    {
        try await withWorld { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            let hidden = try await world.project(in: mine.team.id)
            let jobs = try await world.submit([world.job(mine), world.job(mine, project: hidden)], by: mine)
            _ = try await world.submit([world.job(theirs)], by: theirs)
            let whole = try await world.key(of: mine).key
            let limited = try await world.key(of: mine, projects: [mine.project.id, theirs.project.id]).key
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            #expect(try await Self.ids("teams", whole.scope, session) == [Self.bare(mine.team.id)])
            #expect(
                try await Self.ids("projects", whole.scope, session)
                    == [mine.project.id, hidden.id].map(Self.bare).sorted()
            )
            #expect(try await Self.ids("jobs", whole.scope, session) == jobs.map(\.id).sorted())
            #expect(try await Self.ids("teams", limited.scope, session).isEmpty)
            // A project of another team that got into the list somehow is out of reach all the same.
            #expect(try await Self.ids("projects", limited.scope, session) == [Self.bare(mine.project.id)])
            #expect(try await Self.ids("jobs", limited.scope, session) == [jobs[0].id])
            for table in ["users", "sign_ins", "api_keys", "service_accounts", "notices", "workers"] {
                let seen = try await Self.ids(table, limited.scope, session)
                #expect(seen.isEmpty, "\(table)")
            }
            for table in ["api_keys", "service_accounts", "sign_ins", "notices"] {
                #expect(try await Self.ids(table, whole.scope, session).isEmpty, "\(table)")
            }
        }
    }

    @Test func `a key's scope changes and makes nothing outside its team and its projects`() async throws {
        try await withWorld { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            let hidden = try await world.project(in: mine.team.id)
            let whole = try await world.key(of: mine).key.scope
            let limited = try await world.key(of: mine, projects: [mine.project.id, theirs.project.id]).key.scope
            let projects = world.store.projects
            func renames(_ project: Project, _ scope: Scope) async throws -> Bool {
                try await projects.updateProject(project.id, name: world.unique("n"), policy: nil, scope: scope) != nil
            }
            #expect(try await renames(mine.project, whole))
            #expect(try await renames(hidden, whole))
            #expect(try await !renames(theirs.project, whole))
            #expect(try await renames(mine.project, limited))
            #expect(try await !renames(hidden, limited))
            #expect(try await !renames(theirs.project, limited))
            func submits(_ person: Person, _ project: Project, _ scope: Scope) async throws -> Bool {
                let new = NewJob(job: world.job(person, project: project), idempotencyKey: nil, requestHash: [1])
                guard case .created? = try await world.store.jobs.submit([new], scope: scope).first else {
                    return false
                }
                return true
            }
            #expect(try await submits(mine, mine.project, whole))
            #expect(try await submits(mine, mine.project, limited))
            #expect(try await !submits(mine, hidden, limited))
            #expect(try await !submits(theirs, theirs.project, whole))
            #expect(try await !submits(theirs, theirs.project, limited))
            let made = Project(
                id: ProjectID(at: World.start),
                teamID: mine.team.id,
                name: "made",
                policy: .contained,
                homeWorker: nil,
                createdAt: World.start,
                updatedAt: World.start
            )
            await #expect(throws: StoreError.notFound) { try await projects.createProject(made, scope: limited) }
            try await projects.createProject(made, scope: whole)
        }
    }

    @Test func `a key has the role of its issuer or its account, whichever is less, and none when either ends`()
        async throws
    {
        try await withWorld { world in
            let (owner, member) = (try await world.person(), try await world.person())
            func join(_ role: Role) async throws {
                let (id, team, audit) = (member.user.id, owner.team.id, AuditDraft.sample("member.added"))
                let teams = world.store.teams
                let added = try await teams.addMember(id, to: team, role: role, now: World.start, audit: audit)
                guard added == .alreadyMember else { return try #require(added == .done) }
                let set = try await teams.setRole(of: id, in: team, to: role, scope: .system, audit: audit)
                try #require(set == .done)
            }
            func role(_ key: APIKey) async throws -> Role? {
                try await world.store.projects.project(owner.project.id, scope: key.scope)?.role
            }
            try await join(.member)
            let own = try await world.key(of: member, team: owner.team.id).key
            #expect(try await role(own) == .member)
            try await join(.viewer)
            #expect(try await role(own) == .viewer)
            try await join(.admin)
            #expect(try await role(own) == .admin)
            let account = try await world.serviceAccount(in: member, .member, team: owner.team.id)
            let robot = try await world.key(of: member, team: owner.team.id, serviceAccount: account.id).key
            #expect(try await role(robot) == .member)
            try await join(.viewer)
            #expect(try await role(robot) == .viewer)
            #expect(try await world.store.accounts.setDisabled(member.user.id, true, audit: .sample("user.disabled")))
            #expect(try await role(own) == nil)
            #expect(try await role(robot) == nil)
            #expect(try await world.store.accounts.setDisabled(member.user.id, false, audit: .sample("user.enabled")))
            // What has ended does not come back.
            #expect(try await role(own) == nil)
            let new = try await world.key(of: member, team: owner.team.id).key
            #expect(try await role(new) == .viewer)
        }
    }

    @Test func `a key for another team's service account opens nothing, whoever stored it`() async throws {
        try await withWorld { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            let account = try await world.serviceAccount(in: theirs, .admin)
            let (forged, hash) = try await world.key(of: mine, serviceAccount: account.id)
            let keys = world.store.apiKeys
            #expect(try await keys.useKey(hash: hash, now: World.start) == nil)
            #expect(try await !keys.isActive(forged.id, now: World.start))
            for person in [mine, theirs] {
                #expect(try await world.store.projects.project(person.project.id, scope: forged.scope) == nil)
            }
            let own = try await world.serviceAccount(in: mine, .admin)
            let (good, _) = try await world.key(of: mine, serviceAccount: own.id)
            #expect(try await world.store.projects.project(mine.project.id, scope: good.scope)?.role == .admin)
        }
    }

    @Test func `interleaved on one session, keys never see each other's rows`() async throws {
        try await withWorld(connections: 1) { world in
            var holders: [(person: Person, key: APIKey)] = []
            for _ in 0..<6 {
                let person = try await world.person()
                holders.append((person, try await world.key(of: person).key))
            }
            let all = holders
            let seen = try await world.atOnce(600) { index -> Bool in
                let (person, key) = all[index % all.count]
                let other = all[(index + 1) % all.count].person
                switch index % 3 {
                case 0:
                    let page = try await world.store.projects.projects(
                        team: nil,
                        before: nil,
                        limit: 9,
                        scope: key.scope
                    )
                    return page.items.map(\.id) == [person.project.id]
                case 1: return try await world.store.projects.project(other.project.id, scope: key.scope) == nil
                default: return try await world.store.projects.project(person.project.id, scope: person.scope) != nil
                }
            }
            #expect(seen.count == 600 && !seen.contains(false))
        }
    }
}
