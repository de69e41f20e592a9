import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

@Suite struct ScopeTests {
    private static let tables = [
        "users", "teams", "memberships", "sign_ins", "refresh_tokens", "stream_tickets", "workers", "projects", "jobs",
        "idempotency_keys", "job_output", "audit_heads", "audit_entries", "team_quotas", "team_usage",
        "login_failures", "login_places", "master_keys", "secrets", "model_keys", "password_resets", "sign_in_traits",
        "notices", "service_accounts", "api_keys", "outbox", "outbox_channels", "browser_sessions", "device_grants",
        "oauth_clients",
        "authorization_codes", "totp_factors",
        "recovery_codes", "code_attempts", "passkeys",
        "spent_challenges", "oidc_providers", "user_identities", "provider_sign_ins", "provider_codes",
    ]

    /// The rows of a table that a scope sees, past every check of the layers above.
    private static func count(_ table: String, _ scope: Scope?, _ session: PostgresConnection) async throws -> Int {
        let statement = PostgresStatement("count.\(table)", "select count(*) from \(table)")
        let answer = try await session.run(PostgresGroup(scope, [statement()])).at(0)
        return try answer.first { row throws(StoreError) in try row.value(Int.self) } ?? -1
    }

    private static func fill(_ world: World) async throws -> (mine: Person, theirs: Person) {
        let (mine, theirs) = (try await world.person(), try await world.person())
        let lease = try await world.worker()
        try await world.register(1)
        for person in [mine, theirs] {
            try await world.setModelKey(of: .user(person.user.id), by: person)
            try await world.setModelKey(of: .team(person.team.id), by: person)
        }
        for person in [mine, theirs] {
            try await world.giveFactors(person)
            try await world.giveIdentity(person)
            let job = world.job(person)
            let new = NewJob(job: job, idempotencyKey: "key", requestHash: [1])
            _ = try await world.store.jobs.submit([new], scope: person.scope)
            let claimed = try await world.claimOne(lease)
            _ = try await world.store.log.append(records(1...3), to: claimed.current)
            let now = World.start
            #expect(
                try await world.store.quotas.setQuota(
                    .projects,
                    .limit(7),
                    of: person.team.id,
                    now: now,
                    audit: .sample("quota.changed", team: nil)
                )
            )
            let hold = try await world.store.quotas.holdWorkspace(
                person.project.id,
                bytes: 10,
                scope: person.scope,
                now: now
            )
            try await world.store.quotas.settleWorkspace(try #require(hold), bytes: 10, scope: person.scope)
            _ = try await world.store.quotas.holdWorkspace(person.project.id, bytes: 10, scope: person.scope, now: now)
            let attempt = SignInTry(account: [1], place: [2], isKnownDevice: false, begunAt: now)
            _ = try await world.store.signInThrottle.begin(attempt)
            try await world.store.signInThrottle.end(attempt, .right)
            let signIn = SignIn(
                id: SignInID(at: World.start),
                userID: person.user.id,
                deviceName: "d",
                address: "a",
                userAgent: "u",
                createdAt: World.start,
                lastUsedAt: World.start,
                expiresAt: World.start.adding(seconds: 60),
                revokedAt: nil
            )
            try await world.store.accounts.createSignIn(
                signIn,
                refreshHash: person.user.id.uuidBytes + person.user.id.uuidBytes
            )
            try await world.store.accounts.createTicket(
                hash: person.user.id.uuidBytes + person.team.id.uuidBytes,
                user: person.user.id,
                signIn: signIn.id,
                expiresAt: World.start.adding(seconds: 30)
            )
            let isIssued = try await world.store.passwords.issueReset(
                person.user.id,
                hash: person.team.id.uuidBytes + person.team.id.uuidBytes,
                now: World.start,
                expiresAt: World.start.adding(seconds: 60),
                audit: .sample("password.reset_issued")
            )
            #expect(isIssued)
            let browser = SignIn(
                id: SignInID(at: World.start),
                userID: person.user.id,
                deviceName: "b",
                address: "a",
                userAgent: "u",
                createdAt: World.start,
                lastUsedAt: World.start,
                expiresAt: World.start.adding(seconds: 60),
                revokedAt: nil,
                clientID: "browser"
            )
            try await world.store.accounts.createSignIn(
                browser,
                credential: .session(hash: person.user.id.uuidBytes + person.team.id.uuidBytes),
                grant: nil,
                passwordGeneration: nil,
                traits: [],
                notice: nil,
                audit: []
            )
            let isWaiting = try await world.store.deviceGrants.createDeviceGrant(
                .sample(),
                deviceHash: person.user.id.uuidBytes + person.team.id.uuidBytes,
                userCodeHash: person.user.id.uuidBytes + person.team.id.uuidBytes
            )
            #expect(isWaiting)
            try await world.client(of: person)
            let account = try await world.serviceAccount(in: person)
            _ = try await world.key(of: person, serviceAccount: account.id)
            try await world.store.outbox.setChannels([.mail])
            #expect(try await world.store.outbox.putTest(LetterID(at: now), .mail, to: person.user.email, now: now))
        }
        return (mine, theirs)
    }

    @Test func `without a scope no table shows a row, and with the system's each does`() async throws {
        try await withWorld { world in
            _ = try await Self.fill(world)
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            for table in Self.tables {
                #expect(try await Self.count(table, nil, session) == 0, "\(table)")
                #expect(try await Self.count(table, .system, session) > 0, "\(table)")
                // The scope ended with its transaction.
                #expect(try await Self.count(table, nil, session) == 0, "\(table)")
            }
        }
    }

    @Test func `a person sees the rows of the own team and nothing of another's`() async throws {
        try await withWorld { world in
            let (mine, _) = try await Self.fill(world)
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            let visible = [
                "users": 1, "teams": 1, "memberships": 1, "projects": 1, "jobs": 1, "audit_entries": 7,
                "team_quotas": 1, "team_usage": 1, "secrets": 3, "model_keys": 2, "service_accounts": 1, "api_keys": 1,
                "oauth_clients": 1,
            ]
            for table in Self.tables {
                #expect(try await Self.count(table, mine.scope, session) == visible[table, default: 0], "\(table)")
            }
            // A person's own key is not the team's.
            for table in ["teams", "projects", "jobs", "model_keys"] {
                #expect(try await Self.count(table, .team(mine.team.id), session) == 1, "\(table)")
                #expect(try await Self.count(table, .user(UserID(at: World.start)), session) == 0, "\(table)")
                #expect(try await Self.count(table, .team(TeamID(at: World.start)), session) == 0, "\(table)")
            }
        }
    }

    @Test func `another team's rows can neither be changed nor made`() async throws {
        try await withWorld { world in
            let (mine, theirs) = try await Self.fill(world)
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            let rename = PostgresStatement("rename", "update projects set name = 'x' where id = $1::uuid")
            let steal = PostgresStatement("steal", "update projects set team_id = $2::uuid where id = $1::uuid")
            func run(_ call: PostgresCall) async throws -> Int {
                try await session.run(PostgresGroup(mine.scope, [call])).at(0).affected
            }
            #expect(try await run(rename([.id(theirs.project.id)])) == 0)
            #expect(try await run(rename([.id(mine.project.id)])) == 1)
            await #expect(throws: StoreError.self) {
                _ = try await run(steal([.id(mine.project.id), .id(theirs.team.id)]))
            }
            let join = PostgresStatement(
                "join",
                "insert into memberships (user_id, team_id, role) values ($1::uuid, $2::uuid, 'owner')"
            )
            let place = "model_keys/\(theirs.team.id)/key"
            for statement in [
                "update secrets set team_id = $2::uuid, place = $1::text || 'x' where team_id is not null",
                "update model_keys set secret = $1::text where team_id <> $2::uuid or user_id is not null",
                "insert into secrets (place, team_id, sealed) "
                    + "select $1::text || 'x', $2::uuid, s.sealed from secrets s limit 1",
            ] {
                let move = PostgresStatement("move.\(statement.prefix(9).suffix(2))", statement)
                await #expect(throws: StoreError.self, "\(statement)") {
                    _ = try await run(move([.text(place), .id(theirs.team.id)]))
                }
            }
            let forget = PostgresStatement("forget", "delete from secrets where team_id = $1::uuid")
            #expect(try await run(forget([.id(theirs.team.id)])) == 0)
            #expect(try await run(forget([.id(mine.team.id)])) == 1)
            await #expect(throws: StoreError.self) {
                _ = try await run(join([.id(mine.user.id), .id(theirs.team.id)]))
            }
        }
    }

    @Test func `a disabled account has no teams, and has them again when enabled`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let accounts = world.store.accounts
            #expect(try await world.store.projects.project(person.project.id, scope: person.scope)?.role == .owner)
            #expect(try await accounts.setDisabled(person.user.id, true))
            #expect(try await world.store.projects.project(person.project.id, scope: person.scope) == nil)
            #expect(try await world.store.teams.memberships(of: person.user.id).isEmpty)
            #expect(try await accounts.setDisabled(person.user.id, false))
            #expect(try await world.store.teams.memberships(of: person.user.id).count == 1)
        }
    }

    @Test func `a thousand interleaved queries of many scopes on one session never see each other's rows`() async throws
    {
        try await withWorld(connections: 1) { world in
            var people: [Person] = []
            for _ in 0..<8 { people.append(try await world.person()) }
            let everyone = people
            let seen = try await world.atOnce(1_000) { index -> Bool in
                let person = everyone[index % everyone.count]
                let other = everyone[(index + 1) % everyone.count]
                switch index % 4 {
                case 0:
                    let page = try await world.store.projects.projects(
                        team: nil,
                        before: nil,
                        limit: 50,
                        scope: person.scope
                    )
                    return page.items.map(\.id) == [person.project.id]
                case 1:
                    return try await world.store.projects.project(other.project.id, scope: person.scope) == nil
                case 2:
                    let all = try await world.store.projects.projects(
                        team: nil,
                        before: nil,
                        limit: 50,
                        scope: .system
                    )
                    return all.items.count == everyone.count
                default:
                    let found = try await world.store.projects.project(person.project.id, scope: .team(person.team.id))
                    return found?.value.id == person.project.id && found?.role == .viewer
                }
            }
            #expect(seen.count == 1_000)
            #expect(!seen.contains(false))
        }
    }
}
