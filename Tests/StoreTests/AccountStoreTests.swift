import Bytes
import Core
import Testing

@testable import Store

@Suite struct AccountStoreTests {
    @Test func `an account comes with its team, and its address is taken then`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let accounts = world.store.accounts
            #expect(try await accounts.user(person.user.id) == person.user)
            #expect(try await accounts.credentials(email: person.user.email)?.passwordHash == "hash")
            #expect(try await accounts.credentials(email: "nobody@example.org") == nil)
            #expect(try await accounts.user(UserID(at: World.start)) == nil)
            let mine = try await world.store.teams.memberships(of: person.user.id)
            #expect(mine == [Membership(team: person.team, role: .owner)])
            var twin = person.user
            twin.id = UserID(at: World.start)
            let team = Team(id: TeamID(at: World.start), name: "twin", createdAt: World.start)
            await #expect(throws: StoreError.conflict(field: "email")) {
                try await accounts.createUser(twin, passwordHash: "other", team: team)
            }
            #expect(try await accounts.users().map(\.id) == [person.user.id])
        }
    }

    @Test func `a sign-in is active until it is revoked, it expires or its account is disabled`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let accounts = world.store.accounts
            let family = try await Family(world, person)
            let later = World.start.adding(seconds: 10)
            #expect(try await accounts.isActive(family.signIn.id, now: later))
            #expect(try await !accounts.isActive(family.signIn.id, now: family.signIn.expiresAt))
            #expect(try await !accounts.isActive(SignInID(at: World.start), now: later))
            try await accounts.revoke(family.signIn.id, now: later)
            try await accounts.revoke(family.signIn.id, now: later)
            #expect(try await !accounts.isActive(family.signIn.id, now: later))
            let second = try await Family(world, person)
            #expect(try await accounts.setDisabled(person.user.id, true))
            #expect(try await accounts.setDisabled(person.user.id, false))
            #expect(try await !accounts.isActive(second.signIn.id, now: later))
            #expect(try await !accounts.setDisabled(UserID(at: World.start), true))
        }
    }

    @Test func `the use of a sign-in is noted to the minute, however often it is asked for`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let accounts = world.store.accounts
            let family = try await Family(world, person)
            func lastUsed() async throws -> Timestamp? {
                let now = World.start.adding(seconds: 600)
                return try await accounts.signIns(of: person.user.id, before: nil, limit: 1, now: now).items.first?
                    .lastUsedAt
            }
            for (seconds, noted) in [(59, 0), (60, 0), (61, 61), (100, 61), (121, 61), (122, 122), (30, 122)] {
                #expect(try await accounts.isActive(family.signIn.id, now: World.start.adding(seconds: seconds)))
                #expect(try await lastUsed() == World.start.adding(seconds: noted), "\(seconds)")
            }
            let many = try await world.atOnce(20) { _ in
                try await accounts.isActive(family.signIn.id, now: World.start.adding(seconds: 300))
            }
            #expect(!many.contains(false))
            #expect(try await lastUsed() == World.start.adding(seconds: 300))
            try await accounts.revoke(family.signIn.id, now: World.start.adding(seconds: 301))
            #expect(try await !accounts.isActive(family.signIn.id, now: World.start.adding(seconds: 500)))
        }
    }

    @Test func `sign-ins are listed and revoked one by one and all at once, the own ones only`() async throws {
        try await withWorld { world in
            let (mine, theirs) = (try await world.person(), try await world.person())
            let accounts = world.store.accounts
            var families: [Family] = []
            for _ in 0..<4 { families.append(try await Family(world, mine)) }
            let other = try await Family(world, theirs)
            let now = World.start.adding(seconds: 1)
            func standing(before: SignInID? = nil, limit: Int = 10) async throws -> Page<SignIn> {
                try await accounts.signIns(of: mine.user.id, before: before, limit: limit, now: now)
            }
            let ids = families.map(\.signIn.id).sorted().reversed()
            #expect(try await standing().items.map(\.id) == Array(ids))
            let page = try await standing(limit: 3)
            #expect(page.items.map(\.id) == Array(ids.prefix(3)) && page.hasMore)
            let rest = try await standing(before: page.items.last?.id, limit: 3)
            #expect(rest.items.map(\.id) == Array(ids.suffix(1)) && !rest.hasMore)
            let end = families[0].signIn.expiresAt
            #expect(try await accounts.signIns(of: mine.user.id, before: nil, limit: 10, now: end).items.isEmpty)

            #expect(try await !accounts.revoke(other.signIn.id, of: mine.user.id, now: now))
            #expect(try await accounts.revoke(families[0].signIn.id, of: mine.user.id, now: now))
            #expect(try await !accounts.revoke(families[0].signIn.id, of: mine.user.id, now: now))
            let ended = try await accounts.revokeAll(of: mine.user.id, except: families[1].signIn.id, now: now)
            #expect(Set(ended) == Set(families[2...].map(\.signIn.id)))
            #expect(try await standing().items.map(\.id) == [families[1].signIn.id])
            #expect(try await accounts.revokeAll(of: mine.user.id, except: nil, now: now) == [families[1].signIn.id])
            #expect(try await standing().items.isEmpty)
            #expect(try await accounts.isActive(other.signIn.id, now: now))
        }
    }

    @Test func `a stream ticket is redeemed once, in time, while its sign-in stands`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            let accounts = world.store.accounts
            let family = try await Family(world, person)
            let end = World.start.adding(seconds: 30)
            func ticket(_ number: UInt8) async throws -> [UInt8] {
                let hash = [UInt8](repeating: number, count: 32)
                try await accounts.createTicket(
                    hash: hash,
                    user: person.user.id,
                    signIn: family.signIn.id,
                    expiresAt: end
                )
                return hash
            }
            let first = try await ticket(1)
            // Looking at a ticket does not spend it.
            for _ in 0..<2 {
                let holder = try await accounts.ticket(hash: first, now: World.start)
                #expect(holder?.user == person.user.id && holder?.signIn == family.signIn.id)
            }
            #expect(try await accounts.ticket(hash: first, now: end) == nil)
            #expect(try await accounts.ticket(hash: [UInt8](repeating: 9, count: 32), now: World.start) == nil)
            let redeemed = try await accounts.redeemTicket(hash: first, now: World.start)
            #expect(redeemed?.user == person.user.id && redeemed?.signIn == family.signIn.id)
            #expect(try await accounts.ticket(hash: first, now: World.start) == nil)
            #expect(try await accounts.redeemTicket(hash: first, now: World.start) == nil)
            #expect(try await accounts.redeemTicket(hash: try await ticket(2), now: end) == nil)
            let third = try await ticket(3)
            let winners = try await world.atOnce(20) { _ in
                try await accounts.redeemTicket(hash: third, now: World.start) == nil ? 0 : 1
            }
            #expect(winners.reduce(0, +) == 1)
            let fourth = try await ticket(4)
            try await accounts.revoke(family.signIn.id, now: World.start)
            #expect(try await accounts.ticket(hash: fourth, now: World.start) == nil)
            #expect(try await accounts.redeemTicket(hash: fourth, now: World.start) == nil)
        }
    }
}

/// A sign-in with its first refresh token.
struct Family {
    let signIn: SignIn
    let first: [UInt8]

    init(_ world: World, _ person: Person) async throws {
        signIn = SignIn(
            id: SignInID(at: World.start),
            userID: person.user.id,
            deviceName: "laptop",
            address: "192.0.2.1",
            userAgent: "test",
            createdAt: World.start,
            lastUsedAt: World.start,
            expiresAt: World.start.adding(seconds: 86_400),
            revokedAt: nil
        )
        first = Self.token()
        try await world.store.accounts.createSignIn(signIn, refreshHash: first)
    }

    static func token() -> [UInt8] { (0..<32).map { _ in UInt8.random(in: 0...255) } }
}
