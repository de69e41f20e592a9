import Bytes
import Core
import Testing

@testable import Store

@Suite struct KeyStoreTests {
    private static let now = World.start.adding(seconds: 10)

    @Test func `a key is stored and read back whole, and its use is noted to the minute`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let keys = world.store.apiKeys
            let end = World.start.adding(seconds: 86_400)
            var (key, hash) = try await world.key(of: person, projects: [person.project.id], expiresAt: end)
            #expect(try await world.keys(of: person) == [key])
            #expect(try await keys.key(key.id, of: person.team.id, scope: person.scope) == key)
            #expect(try await keys.useKey(hash: hash, now: Self.now) == key)
            key.lastUsedAt = Self.now
            for (seconds, noted) in [(59, Self.now), (60, Self.now), (61, Self.now.adding(seconds: 61))] {
                _ = try await keys.useKey(hash: hash, now: Self.now.adding(seconds: seconds))
                let shown = try await keys.key(key.id, of: person.team.id, scope: person.scope)
                #expect(shown?.lastUsedAt == noted, "\(seconds)")
            }
            #expect(try await keys.useKey(hash: Family.token(), now: Self.now) == nil)
            #expect(try await keys.useKey(hash: hash, now: end.adding(.milliseconds(-1))) != nil)
            #expect(try await keys.useKey(hash: hash, now: end) == nil)
            #expect(try await !keys.isActive(key.id, now: end))
        }
    }

    @Test func `a rotation keeps what the key may, once; a replaced, revoked or expired one is not rotated`()
        async throws
    {
        try await withWorld { world in
            let person = try await world.person()
            let keys = world.store.apiKeys
            let (old, hash) = try await world.key(of: person, projects: [person.project.id])
            func rotate(
                _ id: APIKeyID,
                at now: Timestamp = Self.now
            ) async throws -> (isDone: Bool, key: APIKey, hash: [UInt8]) {
                var new = old
                new.id = APIKeyID(at: now)
                new.hint = "errand_wxyz"
                new.createdAt = now
                new.expiresAt = now.adding(seconds: 86_400)
                let hash = Family.token()
                let verdict = try await keys.rotateKey(
                    id,
                    into: new,
                    hash: hash,
                    overlapEnd: now.adding(seconds: 60),
                    scope: person.scope,
                    now: now,
                    audit: .sample("api_key.rotated", team: person.team.id)
                )
                return (verdict == .done, new, hash)
            }
            let first = try await rotate(old.id)
            #expect(first.isDone)
            #expect(try await keys.useKey(hash: first.hash, now: Self.now) == first.key)
            var replaced = old
            replaced.replacedBy = first.key.id
            replaced.expiresAt = Self.now.adding(seconds: 60)
            #expect(try await keys.useKey(hash: hash, now: Self.now) == replaced)
            #expect(try await keys.useKey(hash: hash, now: Self.now.adding(seconds: 60)) == nil)
            #expect(try await !rotate(old.id).isDone)
            #expect(try await !rotate(APIKeyID(at: Self.now)).isDone)
            #expect(try await !rotate(first.key.id, at: Self.now.adding(seconds: 86_400)).isDone)
            // While the one before it works, it is not.
            #expect(try await !rotate(first.key.id).isDone)
            let later = Self.now.adding(seconds: 60)
            let many = try await world.atOnce(8) { _ in try await rotate(first.key.id, at: later).isDone }
            #expect(many.count { $0 } == 1)
            let revoked = try await world.keys(of: person)[0]
            #expect(
                try await keys.revokeKey(
                    revoked.id,
                    of: person.team.id,
                    scope: person.scope,
                    now: Self.now,
                    audit: .sample("api_key.revoked", team: person.team.id)
                )
            )
            #expect(try await !rotate(revoked.id).isDone)
        }
    }

    @Test func `nobody makes, sees or ends a key in a team that is not theirs, and a key does not even in its own`()
        async throws
    {
        try await withWorld { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            let keys = world.store.apiKeys
            let (key, _) = try await world.key(of: mine)
            let audit = AuditDraft.sample("api_key.revoked")
            for scope in [theirs.scope, .team(mine.team.id), key.scope, .user(UserID(at: World.start))] {
                #expect(try await world.keys(of: mine, scope: scope).isEmpty)
                #expect(try await keys.key(key.id, of: mine.team.id, scope: scope) == nil)
                #expect(
                    try await !keys.revokeKey(key.id, of: mine.team.id, scope: scope, now: Self.now, audit: audit)
                )
                await #expect(throws: StoreError.notFound) { try await world.key(of: mine, scope: scope) }
            }
            #expect(try await keys.isActive(key.id, now: Self.now))
            let account = try await world.serviceAccount(in: mine)
            let ended = try await keys.deleteServiceAccount(
                account.id,
                of: mine.team.id,
                scope: theirs.scope,
                now: Self.now,
                audit: audit
            )
            #expect(ended == nil)
        }
    }

    @Test func `a service account's end is its keys' end, and its name is free again`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let keys = world.store.apiKeys
            let account = try await world.serviceAccount(in: person)
            #expect(try await keys.serviceAccounts(of: person.team.id, scope: person.scope) == [account])
            let (key, hash) = try await world.key(of: person, serviceAccount: account.id)
            let own = try await world.key(of: person)
            var twin = account
            twin.id = ServiceAccountID(at: World.start)
            await #expect(throws: StoreError.conflict(field: "name")) {
                _ = try await keys.createServiceAccount(twin, scope: person.scope, audit: .sample("x"))
            }
            func delete() async throws -> [APIKeyID]? {
                try await keys.deleteServiceAccount(
                    account.id,
                    of: person.team.id,
                    scope: person.scope,
                    now: Self.now,
                    audit: .sample("service_account.deleted", team: person.team.id)
                )
            }
            #expect(try await delete() == [key.id])
            #expect(try await delete() == nil)
            #expect(try await keys.useKey(hash: hash, now: Self.now) == nil)
            #expect(try await keys.useKey(hash: own.hash, now: Self.now) != nil)
            #expect(try await keys.createServiceAccount(twin, scope: person.scope, audit: .sample("x")))
        }
    }

    @Test func `a team has no more than two hundred keys that stand`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let account = try await world.serviceAccount(in: person)
            for _ in 0..<APIKeyLimits.perTeam - 1 { _ = try await world.key(of: person, serviceAccount: account.id) }
            let last = try await world.key(of: person)
            #expect(try await world.keyVerdict(of: person) == .teamFull)
            #expect(try await world.keyVerdict(of: person, serviceAccount: account.id) == .teamFull)
            #expect(try await world.keys(of: person).count == APIKeyLimits.perTeam)
            let keys = world.store.apiKeys
            #expect(
                try await keys.revokeKey(
                    last.key.id,
                    of: person.team.id,
                    scope: person.scope,
                    now: Self.now,
                    audit: .sample("api_key.revoked", team: person.team.id)
                )
            )
            _ = try await world.key(of: person)
        }
    }
}
