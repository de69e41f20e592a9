import Bytes
import Core
import Testing

@testable import Store

@Suite struct PasswordStoreTests {
    private static let now = World.start.adding(seconds: 10)

    private static func change(
        _ world: World,
        _ person: Person,
        from checked: Int = 1,
        to new: String,
        keeping signIn: SignInID? = nil
    ) async throws -> [SignInID]? {
        try await world.store.passwords.changePassword(
            person.user.id,
            checked: checked,
            new: new,
            notice: Notice(.passwordChanged, at: now, signIn: signIn),
            audit: .sample("password.changed", target: person.user.id.description)
        )
    }

    private static func issue(_ world: World, _ person: Person) async throws -> [UInt8] {
        let hash = Family.token()
        try #require(await issues(hash, world, person))
        return hash
    }

    /// Whether a link is given out.
    private static func issues(_ hash: [UInt8], _ world: World, _ person: Person) async throws -> Bool {
        try await world.store.passwords.issueReset(
            person.user.id,
            hash: hash,
            now: World.start,
            expiresAt: World.start.adding(seconds: 900),
            audit: .sample("password.reset_issued")
        )
    }

    private static func reset(
        _ world: World,
        _ hash: [UInt8],
        to new: String = "reset",
        at now: Timestamp = PasswordStoreTests.now
    ) async throws -> [SignInID]? {
        try await world.store.passwords.resetPassword(
            hash: hash,
            new: new,
            notice: Notice(.passwordReset, at: now),
            audit: .sample("password.changed")
        )
    }

    private static func records(_ world: World, _ action: String) async throws -> Int {
        try await world.store.audit.stored(AuditChain(nil), after: .start, limit: 1_000).count { $0.action == action }
    }

    @Test func `item 24: a change ends the other sign-ins, their tickets and all links, once, with one record`()
        async throws
    {
        try await withWorld { world in
            let person = try await world.person()
            let accounts = world.store.accounts
            let (here, other) = (try await Family(world, person), try await Family(world, person))
            let stranger = try await Family(world, try await world.person())
            let ticket = Family.token()
            try await accounts.createTicket(
                hash: ticket,
                user: person.user.id,
                signIn: other.signIn.id,
                expiresAt: World.start.adding(seconds: 30)
            )
            let link = try await Self.issue(world, person)
            let ended = try await Self.change(world, person, to: "new", keeping: here.signIn.id)
            #expect(ended == [other.signIn.id])
            #expect(try await accounts.credentials(email: person.user.email)?.passwordHash == "new")
            #expect(try await accounts.isActive(here.signIn.id, now: Self.now))
            #expect(try await !accounts.isActive(other.signIn.id, now: Self.now))
            #expect(try await accounts.isActive(stranger.signIn.id, now: Self.now))
            #expect(try await accounts.ticket(hash: ticket, now: Self.now) == nil)
            #expect(try await Self.reset(world, link) == nil)
            // What was checked is not the password any more.
            #expect(try await Self.change(world, person, to: "third") == nil)
            #expect(try await Self.records(world, "password.changed") == 1)
            #expect(try await accounts.notices(of: person.user.id, limit: 1).first?.kind == .passwordChanged)
        }
    }

    @Test func `item 24: a sign-in that was checked before a change or a disabling does not begin after it`()
        async throws
    {
        try await withWorld { world in
            let accounts = world.store.accounts
            func begin(_ person: Person, _ generation: Int?) async throws -> SignInID {
                let signIn = SignIn(
                    id: SignInID(at: World.start),
                    userID: person.user.id,
                    deviceName: "late",
                    address: "192.0.2.1",
                    userAgent: "test",
                    createdAt: World.start,
                    lastUsedAt: World.start,
                    expiresAt: World.start.adding(seconds: 86_400),
                    revokedAt: nil
                )
                try await accounts.createSignIn(
                    signIn,
                    credential: .refresh(hash: Family.token()),
                    grant: nil,
                    passwordGeneration: generation,
                    traits: [],
                    notice: nil,
                    audit: [.sample("sign_in.opened", target: signIn.id.description)]
                )
                return signIn.id
            }
            let person = try await world.person()
            let before = try #require(try await accounts.credentials(email: person.user.email)).passwordGeneration
            try await world.store.passwords.rehash(person.user.id, checked: "hash", new: "costlier")
            // The same password at a higher cost is no change.
            let early = try await begin(person, before)
            #expect(try await Self.change(world, person, from: before, to: "new") == [early])
            await #expect(throws: StoreError.notFound) { _ = try await begin(person, before) }
            let after = try #require(try await accounts.credentials(email: person.user.email)).passwordGeneration
            #expect(after == before + 1)
            let late = try await begin(person, after)
            #expect(try await accounts.isActive(late, now: Self.now))
            #expect(try await accounts.setDisabled(person.user.id, true))
            await #expect(throws: StoreError.notFound) { _ = try await begin(person, after) }
            #expect(try await Self.records(world, "sign_in.opened") == 2)
        }
    }

    @Test func `item 29: of many uses of a link at once one counts; it ends every sign-in and no other link holds`()
        async throws
    {
        try await withWorld { world in
            let person = try await world.person()
            let family = try await Family(world, person)
            let first = try await Self.issue(world, person)
            let link = try await Self.issue(world, person)
            #expect(try await world.store.passwords.resetOwner(hash: first, now: Self.now) == nil)
            #expect(try await world.store.passwords.resetOwner(hash: link, now: Self.now) == person.user)
            let results = try await world.atOnce(12) { try await Self.reset(world, link, to: "new \($0)") }
            #expect(results.compactMap(\.self) == [[family.signIn.id]])
            #expect(try await world.store.passwords.resetOwner(hash: link, now: Self.now) == nil)
            #expect(try await Self.records(world, "password.changed") == 1)
            let winner = try #require(results.firstIndex { $0 != nil })
            let stored = try await world.store.accounts.credentials(email: person.user.email)?.passwordHash
            #expect(stored == "new \(winner)")
        }
    }

    @Test func `item 29: a link ends after its time, to the millisecond, and with its account's disabling`()
        async throws
    {
        try await withWorld { world in
            let person = try await world.person()
            let end = World.start.adding(seconds: 900)
            let link = try await Self.issue(world, person)
            #expect(try await Self.reset(world, link, at: end) == nil)
            #expect(try await Self.reset(world, link, at: end.adding(.milliseconds(-1))) != nil)
            let second = try await Self.issue(world, person)
            #expect(try await world.store.accounts.setDisabled(person.user.id, true))
            #expect(try await Self.reset(world, second) == nil)
            #expect(try await world.store.accounts.credentials(email: person.user.email)?.passwordHash == "reset")
        }
    }

    @Test func `item 27: a costlier hash of the same password does not make the checked one wrong`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let checked = try #require(try await world.store.accounts.credentials(email: person.user.email))
            try await world.store.passwords.rehash(person.user.id, checked: "hash", new: "costlier")
            #expect(try await Self.change(world, person, from: checked.passwordGeneration, to: "new") != nil)
            // Nor does a hash of the password before take the new one's place.
            try await world.store.passwords.rehash(person.user.id, checked: "costlier", new: "older")
            #expect(try await world.store.accounts.credentials(email: person.user.email)?.passwordHash == "new")
        }
    }

    @Test func `a disabled account gets no link, and what it was given before is gone`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let link = try await Self.issue(world, person)
            #expect(try await world.store.accounts.setDisabled(person.user.id, true))
            #expect(try await !Self.issues(Family.token(), world, person))
            #expect(try await world.store.accounts.setDisabled(person.user.id, false))
            #expect(try await Self.reset(world, link) == nil)
            #expect(try await Self.reset(world, try await Self.issue(world, person)) != nil)
            #expect(try await Self.records(world, "password.reset_issued") == 2)
        }
    }

    @Test func `of what a person signed in with the last of each kind stays known, and the others for 400 days`()
        async throws
    {
        try await withWorld { world in
            let person = try await world.person()
            let day = 86_400
            func use(_ client: String, after days: Int) async throws {
                let at = World.start.adding(seconds: days * day)
                let signIn = SignIn(
                    id: SignInID(at: at),
                    userID: person.user.id,
                    deviceName: "d",
                    address: "a",
                    userAgent: "u",
                    createdAt: at,
                    lastUsedAt: at,
                    expiresAt: at.adding(seconds: day),
                    revokedAt: nil
                )
                try await world.store.accounts.createSignIn(
                    signIn,
                    credential: .refresh(hash: Family.token()),
                    grant: nil,
                    passwordGeneration: nil,
                    traits: [SignInTrait(.client, client)],
                    notice: nil,
                    audit: []
                )
            }
            func known(after days: Int) async throws -> [String] {
                let now = World.start.adding(seconds: days * day + 1)
                for _ in 0..<2 { _ = try await world.store.jobs.sweep(now: now, staleAfter: .seconds(60), limit: 100) }
                return try await world.store.accounts.traits(of: person.user.id).map(\.value).sorted()
            }
            try await use("one", after: 0)
            try await use("two", after: 100)
            #expect(try await known(after: 400) == ["two"])
            #expect(try await known(after: 2_000) == ["two"])
            // Whoever comes then is news, and what was used last before that is forgotten in its turn.
            try await use("three", after: 2_000)
            #expect(try await known(after: 2_001) == ["three", "two"])
            try await use("two", after: 2_010)
            #expect(try await known(after: 2_405) == ["two"])
            try await use("four", after: 2_406)
            #expect(try await known(after: 2_807) == ["four"])
        }
    }

    @Test func `links, notices, traits and keys that have served their time are swept, and no others`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let keys = world.store.apiKeys
            let day = 86_400
            _ = try await Family(world, person)
            let link = try await Self.issue(world, person)
            let short = try await world.key(of: person, expiresAt: World.start.adding(seconds: day)).key
            let endless = try await world.key(of: person).key
            let revoked = try await world.key(of: person).key
            _ = try await keys.revokeKey(
                revoked.id,
                of: person.team.id,
                scope: person.scope,
                now: World.start,
                audit: .sample("api_key.revoked", team: person.team.id)
            )
            // How many keys, notices and traits are left.
            func swept(after seconds: Int) async throws -> [Int] {
                let now = World.start.adding(seconds: seconds)
                _ = try await world.store.jobs.sweep(now: now, staleAfter: .seconds(60), limit: 100)
                let rows = try await world.keys(of: person)
                let accounts = world.store.accounts
                return [
                    rows.count, try await accounts.notices(of: person.user.id, limit: 10).count,
                    try await accounts.traits(of: person.user.id).count,
                ]
            }
            #expect(try await swept(after: 899) == [3, 1, 1])
            #expect(try await world.store.passwords.resetOwner(hash: link, now: World.start) != nil)
            // What has ended is listed for a month.
            #expect(Set(try await world.keys(of: person).map(\.id)) == [endless.id, short.id, revoked.id])
            #expect(try await swept(after: 31 * day - 1) == [2, 1, 1])
            #expect(try await world.store.passwords.resetOwner(hash: link, now: World.start) == nil)
            #expect(try await swept(after: 31 * day + 60) == [1, 1, 1])
            #expect(try await swept(after: 181 * day) == [1, 0, 1])
            // The last client stays known.
            #expect(try await swept(after: 401 * day) == [1, 0, 1])
            #expect(try await keys.isActive(endless.id, now: World.start.adding(seconds: 401 * day)))
        }
    }
}
