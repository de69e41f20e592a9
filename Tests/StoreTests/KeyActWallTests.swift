import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// What row-level security and the owner's functions let people and keys do to keys, teams and secrets, whatever the layers
/// above forgot to ask.
@Suite struct KeyActWallTests {
    /// A team with an administrator, a member and a viewer besides its owner.
    private struct Team {
        let owner: Person
        let admin: Person
        let member: Person
        let viewer: Person

        init(_ world: World) async throws {
            owner = try await world.person()
            admin = try await Self.joined(owner.team.id, .admin, world)
            member = try await Self.joined(owner.team.id, .member, world)
            viewer = try await Self.joined(owner.team.id, .viewer, world)
        }

        var id: TeamID { owner.team.id }

        private static func joined(_ team: TeamID, _ role: Role, _ world: World) async throws -> Person {
            let person = try await world.person()
            let verdict = try await world.store.teams.addMember(
                person.user.id,
                to: team,
                role: role,
                now: World.start,
                audit: .sample("member.added", team: team)
            )
            try #require(verdict == .done)
            return person
        }
    }

    /// Runs a statement past every check of the layers above: whether it changed or made a row.
    private static func does(
        _ text: String,
        _ values: [PostgresValue],
        as scope: Scope,
        _ session: PostgresConnection
    ) async throws(StoreError) -> Bool {
        do throws(StoreError) {
            let statement = PostgresStatement("act.\(UInt(bitPattern: text.hashValue))", text)
            return try await session.run(PostgresGroup(scope, [statement(values)])).at(0).affected > 0
        } catch .failed(_, sqlState: "42501") {
            return false
        }
    }

    private static func session(_ world: World) async throws -> PostgresConnection {
        try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
    }

    private static let insertKey = """
        insert into api_keys (id, hash, hint, team_id, issued_by, service_account_id, name, scopes, created_at)
        values ($1::uuid, $2::bytea, 'errand_abcd', $3::uuid, $4::uuid, $5::uuid, 'k', '{jobs:read}', now())
        """

    @Test func `a scope makes keys for its own person, and for service accounts as an administrator`() async throws {
        try await withWorld { world in
            let team = try await Team(world)
            let account = try await world.serviceAccount(in: team.owner)
            let session = try await Self.session(world)
            defer { session.close() }
            func makes(_ actor: Scope, issuer: Person, account: ServiceAccountID? = nil) async throws -> Bool {
                let id = APIKeyID(at: World.start)
                let values: [PostgresValue] = [
                    .id(id), .bytes(Family.token()), .id(team.id), .id(issuer.user.id), .id(account),
                ]
                return try await Self.does(Self.insertKey, values, as: actor, session)
            }
            #expect(try await makes(team.viewer.scope, issuer: team.viewer))
            #expect(try await !makes(team.viewer.scope, issuer: team.owner))
            #expect(try await !makes(team.admin.scope, issuer: team.owner))
            #expect(try await !makes(team.member.scope, issuer: team.member, account: account.id))
            #expect(try await makes(team.admin.scope, issuer: team.admin, account: account.id))
            #expect(try await !makes(.team(team.id), issuer: team.owner))
            // A former member's, not even by the servers.
            let stranger = try await world.person()
            #expect(try await !makes(.system, issuer: stranger))
            #expect(try await makes(.system, issuer: team.owner))
        }
    }

    @Test func `nobody widens a key, puts its end off or takes it back; people end their own, administrators all`()
        async throws
    {
        try await withWorld { world in
            let team = try await Team(world)
            let end = World.start.adding(seconds: 86_400)
            let key = try await world.key(of: team.member, team: team.id, expiresAt: end).key
            let session = try await Self.session(world)
            defer { session.close() }
            func changes(_ what: String, _ scope: Scope, _ key: APIKey) async throws -> Bool {
                try await Self.does(
                    "update api_keys set \(what) where id = $1::uuid",
                    [.id(key.id)],
                    as: scope,
                    session
                )
            }
            let longer = "expires_at = expires_at + interval '1 day'"
            let wider = [
                longer, "expires_at = null", "scopes = '{jobs:read,jobs:run}'", "project_ids = null",
                "issued_by = '\(team.owner.user.id.uuidText)'", "hash = sha256('x')",
            ]
            for what in wider {
                for scope in [team.member.scope, team.owner.scope, .system] {
                    #expect(try await !changes(what, scope, key), "\(what)")
                }
            }
            let ended = "revoked_at = now()"
            for scope in [team.viewer.scope, key.scope, .team(team.id)] {
                #expect(try await !changes(ended, scope, key))
            }
            #expect(try await changes("expires_at = expires_at - interval '1 hour'", team.member.scope, key))
            #expect(try await changes(ended, team.member.scope, key))
            for scope in [team.member.scope, team.owner.scope, .system] {
                #expect(try await !changes("revoked_at = null", scope, key))
            }
            let second = try await world.key(of: team.member, team: team.id).key
            #expect(try await changes(ended, team.admin.scope, second))
            for scope in [team.member.scope, team.owner.scope] {
                let isGone = try await Self.does(
                    "delete from api_keys where id = $1::uuid",
                    [.id(second.id)],
                    as: scope,
                    session
                )
                #expect(!isGone)
            }
        }
    }

    @Test func `service accounts are made and ended by administrators, and raised by nobody`() async throws {
        try await withWorld { world in
            let team = try await Team(world)
            let account = try await world.serviceAccount(in: team.owner)
            let session = try await Self.session(world)
            defer { session.close() }
            func makes(_ actor: Person, as creator: Person) async throws -> Bool {
                let insert = """
                    insert into service_accounts (id, team_id, name, role, created_by, created_at)
                    values ($1::uuid, $2::uuid, $3::text, 'member', $4::uuid, now())
                    """
                let values: [PostgresValue] = [
                    .id(ServiceAccountID(at: World.start)), .id(team.id), .text(world.unique("a")),
                    .id(creator.user.id),
                ]
                return try await Self.does(insert, values, as: actor.scope, session)
            }
            #expect(try await !makes(team.member, as: team.member))
            #expect(try await !makes(team.admin, as: team.owner))
            #expect(try await makes(team.admin, as: team.admin))
            func changes(_ what: String, _ scope: Scope) async throws -> Bool {
                let update = "update service_accounts set \(what) where id = $1::uuid"
                return try await Self.does(update, [.id(account.id)], as: scope, session)
            }
            #expect(try await !changes("role = 'admin'", team.owner.scope))
            #expect(try await !changes("deleted_at = now()", team.member.scope))
            #expect(try await changes("deleted_at = now()", team.admin.scope))
        }
    }

    @Test func `an owner's key passes none of the acts on a team and its people, nor sees its secrets`() async throws {
        try await withWorld { world in
            let team = try await Team(world)
            try await world.register(1)
            try await world.setModelKey(of: .team(team.id), by: team.owner)
            let (key, now) = (try await world.key(of: team.owner).key.scope, World.start)
            let (teams, audit) = (world.store.teams, AuditDraft.sample("x", team: team.id))
            func invites(_ scope: Scope) async throws -> TeamVerdict {
                let invite = Invite(
                    id: InviteID(at: now),
                    teamID: team.id,
                    role: .viewer,
                    email: nil,
                    invitedBy: nil,
                    createdAt: now,
                    expiresAt: now.adding(seconds: 60)
                )
                return try await world.store.invites.create(
                    invite,
                    tokenHash: Family.token(),
                    scope: scope,
                    audit: audit
                )
            }
            let (member, viewer) = (team.member.user.id, team.viewer.user.id)
            let project = team.owner.project.id
            func acts(_ scope: Scope) async throws -> [TeamVerdict] {
                [
                    try await teams.rename(team.id, to: world.unique("n"), scope: scope, audit: audit),
                    try await teams.setRole(of: member, in: team.id, to: .admin, scope: scope, audit: audit),
                    try await teams.setRole(of: viewer, in: project, to: .member, scope: scope, audit: audit),
                    try await teams.removeMember(viewer, from: team.id, scope: scope, audit: audit),
                    try await invites(scope),
                    try await teams.delete(team.id, now: now, scope: scope, audit: audit),
                    try await teams.restore(team.id, now: now, scope: scope, audit: audit),
                    try await teams.transfer(team.id, to: member, scope: scope, audit: audit),
                ]
            }
            #expect(try await acts(key).allSatisfy { $0 != .done })
            let session = try await Self.session(world)
            defer { session.close() }
            for (table, change) in [("model_keys", "provider = provider"), ("secrets", "sealed = sealed")] {
                let count = PostgresStatement(
                    "act.count.\(table)",
                    "select count(*) from \(table) where team_id = $1::uuid"
                )
                func seen(_ scope: Scope) async throws -> Int? {
                    try await session.run(PostgresGroup(scope, [count([.id(team.id)])])).at(0)
                        .first { row throws(StoreError) in try row.value(Int.self) }
                }
                #expect(try await seen(key) == 0, "\(table)")
                #expect(try await seen(team.admin.scope) == 1, "\(table)")
                let update = "update \(table) set \(change) where team_id = $1::uuid"
                #expect(try await !Self.does(update, [.id(team.id)], as: key, session), "\(table)")
                #expect(try await Self.does(update, [.id(team.id)], as: team.admin.scope, session), "\(table)")
            }
            #expect(try await acts(team.owner.scope).allSatisfy { $0 == .done })
        }
    }

    @Test func `room for an archive is for who may change the project: a limited key in its own, a viewer in none`()
        async throws
    {
        try await withWorld { world in
            let team = try await Team(world)
            let hidden = try await world.project(in: team.id)
            let theirs = try await world.person()
            let quotas = world.store.quotas
            func holds(_ project: Project, _ scope: Scope) async throws -> Bool {
                let hold = try await quotas.holdWorkspace(project.id, bytes: 10, scope: scope, now: World.start)
                guard let hold else { return false }
                try await quotas.renewWorkspace(hold, scope: scope, now: World.start)
                try await quotas.settleWorkspace(hold, bytes: 10, scope: scope)
                let session = try await Self.session(world)
                defer { session.close() }
                let left = PostgresStatement("act.held", "select count(*) from workspace_reservations")
                let size = PostgresStatement(
                    "act.size",
                    "select count(*) from workspace_sizes where project_id = $1::uuid"
                )
                let answers = try await session.run(PostgresGroup(.system, [left(), size([.id(project.id)])]))
                for (index, expected) in [(0, 0), (1, 1)] {
                    let count = try answers.at(index).first { row throws(StoreError) in try row.value(Int.self) }
                    #expect(count == expected)
                }
                return true
            }
            let own = team.owner.project
            let limited = try await world.key(of: team.member, team: team.id, projects: [own.id]).key.scope
            let whole = try await world.key(of: team.member, team: team.id).key.scope
            let viewer = try await world.key(of: team.viewer, team: team.id, projects: [own.id]).key.scope
            #expect(try await holds(own, limited))
            #expect(try await !holds(hidden, limited))
            #expect(try await holds(hidden, whole))
            #expect(try await holds(own, team.member.scope))
            for scope in [viewer, team.viewer.scope, theirs.scope] { #expect(try await !holds(own, scope)) }
            for scope in [limited, whole] { #expect(try await !holds(theirs.project, scope)) }
        }
    }
}
