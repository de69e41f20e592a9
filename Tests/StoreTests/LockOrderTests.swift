import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// Acts on one person's credentials wait for each other, and never two of them for one another.
@Suite(.timeLimit(.minutes(5))) struct LockOrderTests {
    private static let now = World.start.adding(seconds: 10)
    private static let countWaits = PostgresStatement(
        "locks.waits",
        "select count(*) from pg_locks l where not l.granted"
    )

    /// Does something in one transaction while `other` waits for the lock that it took first; gives both their ends.
    private static func interleaved<Value>(
        _ world: World,
        first: String,
        then second: String,
        with other: @escaping () async throws -> Value
    ) async throws -> Value {
        let parameters = try ConnectionParameters(world.url)
        let session = try await PostgresConnection.open(parameters, on: world.loop)
        defer { session.close() }
        let watch = PostgresPool(parameters, size: 1, loop: world.loop)
        try await watch.start()
        try await session.script("begin; set local errand.scope = 'system'; \(first)", stage: "first")
        var result: Result<Value, any Error>?
        let changed = LoopCondition()
        world.loop.spawnLocal {
            do { result = .success(try await other()) } catch { result = .failure(error) }
            changed.signalAll()
        }
        while result == nil {
            let waits = try await watch.run(nil, countWaits()).first { row throws(StoreError) in
                try row.value(Int.self)
            }
            if waits != 0 { break }
        }
        #expect(result == nil, "nothing waited")
        try await session.script(second, stage: "second")
        try await session.script("commit", stage: "commit")
        while result == nil { await changed.wait() }
        await watch.close()
        return try #require(result).get()
    }

    private static func quoted<N>(_ id: ID<N>) -> String { "'\(id.uuidText)'" }

    @Test func `a reset and a change of one person's password`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let link = Family.token()
            let isIssued = try await world.store.passwords.issueReset(
                person.user.id,
                hash: link,
                now: World.start,
                expiresAt: World.start.adding(seconds: 900),
                audit: .sample("password.reset_issued")
            )
            #expect(isIssued)
            let id = Self.quoted(person.user.id)
            let ended = try await Self.interleaved(
                world,
                first: "select from users where id = \(id) for no key update",
                then: "select errand_change_password(\(id), 1, 'new', null, 'password_changed', 'a', 'u', now())"
            ) {
                try await world.store.passwords.resetPassword(
                    hash: link,
                    new: "reset",
                    notice: Notice(.passwordReset, at: Self.now),
                    audit: .sample("password.changed")
                )
            }
            #expect(ended == nil)
            #expect(try await world.store.accounts.credentials(email: person.user.email)?.passwordHash == "new")
        }
    }

    @Test(arguments: [true, false]) func `a stolen token's return and the end of its sign-in, or of all`(
        ofAll: Bool
    ) async throws {
        try await withWorld { world in
            let person = try await world.person()
            let family = try await Family(world, person)
            let accounts = world.store.accounts
            try await accounts.createTicket(
                hash: Family.token(),
                user: person.user.id,
                signIn: family.signIn.id,
                expiresAt: World.start.adding(seconds: 30)
            )
            let id = Self.quoted(family.signIn.id)
            let ended = try await Self.interleaved(
                world,
                first: "select from sign_ins where id = \(id) for no key update",
                then: """
                    update sign_ins set revoked_at = created_at where id = \(id);
                    delete from stream_tickets where sign_in_id = \(id)
                    """
            ) {
                if ofAll {
                    return try await accounts.revokeAll(of: person.user.id, except: nil, now: Self.now).isEmpty
                }
                return try await !accounts.revoke(family.signIn.id, of: person.user.id, now: Self.now)
            }
            // It was ended by the other one.
            #expect(ended)
            #expect(try await !accounts.isActive(family.signIn.id, now: Self.now))
        }
    }

    @Test func `a rotation of a key and its maker's removal`() async throws {
        try await withWorld { world in
            let (owner, member) = (try await world.person(), try await world.person())
            let team = owner.team.id
            _ = try await world.store.teams.addMember(
                member.user.id,
                to: team,
                role: .member,
                now: World.start,
                audit: .sample("member.added", team: team)
            )
            let key = try await world.key(of: member, team: team).key
            var new = key
            new.id = APIKeyID(at: Self.now)
            let successor = new
            let (user, place) = (Self.quoted(member.user.id), Self.quoted(team))
            let verdict = try await Self.interleaved(
                world,
                first: "select from memberships where user_id = \(user) and team_id = \(place) for update",
                then: "select errand_remove_member(\(place), \(user))"
            ) {
                try await world.store.apiKeys.rotateKey(
                    key.id,
                    into: successor,
                    hash: Family.token(),
                    overlapEnd: Self.now,
                    scope: member.scope,
                    now: Self.now,
                    audit: .sample("api_key.rotated", team: team)
                )
            }
            #expect(verdict == .replaced)
            #expect(try await world.keys(of: owner).allSatisfy { $0.revokedAt != nil })
        }
    }
}
