import Bytes
import Core
import Platform
import Testing

@testable import Store

/// Letters that are written in the transactions of the acts that they tell of.
@Suite struct OutboxActTests {
    private static let token = "einv_a-link-that-is-secret"

    private static func sealed(_ id: LetterID, key: UInt8 = 1) -> StoredSecret {
        StoredSecret(place: SecretPlace(letter: id), sealed: .sealed(under: key))
    }

    private static func invite(
        _ world: World,
        _ person: Person,
        team: TeamID? = nil,
        to address: String = "guest@example.org",
        channels: [LetterChannel] = [.mail],
        key: UInt8 = 1,
        at seconds: Int = 0
    ) async throws -> TeamVerdict {
        let now = World.start.adding(seconds: seconds)
        let invite = Invite(
            id: InviteID(at: now),
            teamID: team ?? person.team.id,
            role: .member,
            email: address,
            invitedBy: person.user.id,
            createdAt: now,
            expiresAt: now.adding(seconds: 600)
        )
        let letters = channels.map { channel in
            let id = LetterID(at: now)
            return LetterDraft(id: id, channel: channel, secret: sealed(id, key: key))
        }
        return try await world.store.invites.create(
            invite,
            tokenHash: invite.id.uuidBytes + invite.id.uuidBytes,
            letters: letters,
            scope: person.scope,
            audit: .sample("invite.created", team: invite.teamID)
        )
    }

    private static func claim(_ world: World, at seconds: Int = 0) async throws -> [ClaimedLetter] {
        try await world.store.outbox.claim(
            [.mail, .webhook],
            now: World.start.adding(seconds: seconds),
            lease: .seconds(120),
            limit: 100
        )
    }

    private static func secrets(_ world: World) async throws -> Int {
        try await world.store.secrets.masterKeys().reduce(0) { $0 + $1.secrets }
    }

    @Test func `an invitation comes with its sealed letters, which lose their content when they are done`() async throws
    {
        try await withWorld { world in
            try await world.register(1)
            let person = try await world.person()
            #expect(try await Self.invite(world, person, channels: [.mail, .webhook]) == .done)
            let claimed = try await Self.claim(world)
            #expect(Set(claimed.map(\.channel)) == [.mail, .webhook] && claimed.allSatisfy { $0.kind == .invite })
            #expect(
                claimed.allSatisfy { $0.recipient == "guest@example.org" && $0.secret?.sealed == .sealed(under: 1) }
            )
            #expect(claimed.allSatisfy { $0.giveUpAt == World.start.adding(seconds: 600) })
            #expect(try await Self.secrets(world) == 2)
            let outbox = world.store.outbox
            #expect(try await outbox.settle(claimed[0], .sent(receipt: "250"), now: World.start))
            #expect(try await Self.secrets(world) == 1)
            #expect(try await outbox.settle(claimed[1], .failed(error: "550"), now: World.start))
            #expect(try await Self.secrets(world) == 0)
            #expect(try await outbox.letters(nil, limit: 9).count == 2)
        }
    }

    @Test func `an invitation that is refused leaves no letter, and one whose letter cannot be kept is not made`()
        async throws
    {
        try await withWorld { world in
            try await world.register(1)
            let (person, other) = (try await world.person(), try await world.person())
            #expect(try await Self.invite(world, other, team: person.team.id) == .unknown)
            await #expect(throws: StoreError.conflict(field: "master_key")) {
                try await Self.invite(world, person, key: 7)
            }
            #expect(try await Self.claim(world).isEmpty)
            let page = try await world.store.invites.invites(
                of: person.team.id,
                before: nil,
                limit: 9,
                scope: person.scope
            )
            #expect(page.items.isEmpty)
            // The control, and the scope is the person's again after it.
            #expect(try await Self.invite(world, person) == .done)
            #expect(try await Self.claim(world).count == 1)
        }
    }

    @Test func `the letters of a rotation are wrapped anew like every other secret`() async throws {
        try await withWorld { world in
            try await world.register(1)
            let person = try await world.person()
            #expect(try await Self.invite(world, person) == .done)
            let secrets = world.store.secrets
            _ = try await secrets.adopt(.sample(2), audit: .sample("master_key.rotated"))
            let old = try await secrets.secrets(under: .sample(1), after: "", limit: 9)
            #expect(old.count == 1 && old.allSatisfy { $0.place.description.hasPrefix("outbox/ltr_") })
            let changes = old.map { RewrappedSecret(place: $0.place, old: $0.sealed, new: .sealed(under: 2)) }
            #expect(try await secrets.rewrap(changes) == 1)
            #expect(try await Self.claim(world).first?.secret?.sealed == .sealed(under: 2))
        }
    }

    @Test func `notices go out by every channel in their own transaction, up to twenty an hour`() async throws {
        try await withWorld { world in
            let person = try await world.person()
            func change(_ number: Int) async throws {
                let ended = try await world.store.passwords.changePassword(
                    person.user.id,
                    checked: number + 1,
                    new: "new\(number + 1)",
                    notice: Notice(.passwordChanged, at: World.start, address: "192.0.2.7", userAgent: "cli"),
                    audit: .sample("password.changed")
                )
                #expect(ended != nil)
            }
            try await change(0)
            #expect(try await Self.claim(world).isEmpty)
            try await world.store.outbox.setChannels([.mail, .webhook])
            try await change(1)
            let claimed = try await Self.claim(world)
            #expect(Set(claimed.map(\.channel)) == [.mail, .webhook])
            let letter = try #require(claimed.first)
            #expect(letter.kind == .notice && letter.recipient == person.user.email && letter.secret == nil)
            #expect(letter.notice?.kind == .passwordChanged && letter.notice?.address == "192.0.2.7")
            for number in 2..<30 { try await change(number) }
            #expect(try await Self.claim(world).count == 2 * 19)
            #expect(try await world.store.accounts.notices(of: person.user.id, limit: 100).count == 30)
        }
    }

    @Test func `of two replicas that claim at once each letter goes to one`() async throws {
        try await withWorld { world in
            let outbox = world.store.outbox
            try await outbox.setChannels([.mail])
            for number in 0..<40 {
                let id = LetterID(at: World.start)
                #expect(try await outbox.putTest(id, .mail, to: "p\(number)@example.org", now: World.start))
            }
            let claims = try await world.atOnce(20) { _ in
                try await outbox.claim([.mail], now: World.start, lease: .seconds(60), limit: 4).map(\.id)
            }
            let all = claims.flatMap(\.self)
            #expect(all.count == Set(all).count)
            let rest = try await outbox.claim([.mail], now: World.start, lease: .seconds(60), limit: 100)
            #expect(all.count + rest.count == 40)
        }
    }

    @Test func `no team and no person sees the outbox`() async throws {
        try await withWorld { world in
            try await world.register(1)
            let person = try await world.person()
            try await world.store.outbox.setChannels([.mail])
            #expect(try await Self.invite(world, person) == .done)
            let session = try await PostgresConnection.open(ConnectionParameters(world.url), on: world.loop)
            defer { session.close() }
            let count = PostgresStatement("count.outbox", "select count(*) from outbox")
            for (scope, expected) in [(person.scope, 0), (.team(person.team.id), 0), (.system, 1)] as [(Scope, Int)] {
                let found = try await session.run(PostgresGroup(scope, [count()])).at(0)
                    .first { row throws(StoreError) in try row.value(Int.self) }
                #expect(found == expected)
            }
        }
    }
}
