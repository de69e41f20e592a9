import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// Keys end with what they hang on, for good, and nobody hides one or keeps others from theirs.
@Suite(.timeLimit(.minutes(5))) struct KeyEndTests {
    private static let now = World.start.adding(seconds: 10)

    private static func join(_ person: Person, _ team: TeamID, _ world: World, role: Role = .member) async throws {
        let verdict = try await world.store.teams.addMember(
            person.user.id,
            to: team,
            role: role,
            now: World.start,
            audit: .sample("member.added", team: team)
        )
        try #require(verdict == .done)
    }

    private static func remove(_ person: Person, _ team: TeamID, _ world: World, by scope: Scope) async throws {
        let verdict = try await world.store.teams.removeMember(
            person.user.id,
            from: team,
            scope: scope,
            audit: .sample("member.removed", team: team)
        )
        try #require(verdict == .done)
    }

    private static func opens(_ hash: [UInt8], _ world: World) async throws -> Bool {
        try await world.store.apiKeys.useKey(hash: hash, now: now) != nil
    }

    @Test(arguments: [true, false])
    func `item 51: a removed member's keys are over, also when they come back; nobody else's are`(
        leaves: Bool
    ) async throws {
        try await withWorld { world in
            let (owner, member) = (try await world.person(), try await world.person())
            let team = owner.team.id
            try await Self.join(member, team, world, role: .admin)
            let account = try await world.serviceAccount(in: owner)
            let own = try await world.key(of: member, team: team)
            let robot = try await world.key(of: member, team: team, serviceAccount: account.id)
            let elsewhere = try await world.key(of: member)
            let others = try await world.key(of: owner)
            for hash in [own.hash, robot.hash, elsewhere.hash, others.hash] {
                #expect(try await Self.opens(hash, world))
            }
            try await Self.remove(member, team, world, by: leaves ? member.scope : owner.scope)
            try await Self.join(member, team, world, role: .admin)
            for hash in [own.hash, robot.hash] { #expect(try await !Self.opens(hash, world)) }
            for hash in [elsewhere.hash, others.hash] { #expect(try await Self.opens(hash, world)) }
            let listed = try await world.store.apiKeys.keys(
                of: team,
                actingFor: nil,
                before: nil,
                limit: 10,
                scope: owner.scope
            ).items
            #expect(Set(listed.filter { $0.revokedAt != nil }.map(\.id)) == [own.key.id, robot.key.id])
            #expect(try await Self.opens(try await world.key(of: member, team: team).hash, world))
        }
    }

    @Test func `item 51: a disabled account's keys are over, also when it is enabled again`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let (stolen, kept) = (try await world.key(of: person), try await world.key(of: other))
            let accounts = world.store.accounts
            let family = try await Family(world, person)
            #expect(try await accounts.setDisabled(person.user.id, true))
            #expect(try await accounts.setDisabled(person.user.id, true))
            #expect(try await accounts.setDisabled(person.user.id, false))
            #expect(try await !Self.opens(stolen.hash, world))
            #expect(try await !accounts.isActive(family.signIn.id, now: Self.now))
            #expect(try await Self.opens(kept.hash, world))
            #expect(try await Self.opens(try await world.key(of: person).hash, world))
            #expect(try await !accounts.setDisabled(UserID(at: World.start), true))
            let acts = try await world.store.audit.stored(AuditChain(nil), after: .start, limit: 100)
            #expect(acts.count { $0.action == "user.disabled" } == 1)
        }
    }

    @Test func `item 51: of keys that are made while their maker is removed or disabled none is left standing`()
        async throws
    {
        try await withWorld(connections: 6) { world in
            let owner = try await world.person()
            let team = owner.team.id
            for turn in 0..<12 {
                let member = try await world.person()
                try await Self.join(member, team, world)
                let results = try await world.atOnce(6) { number -> [UInt8]? in
                    if number == 3 {
                        if turn.isMultiple(of: 2) {
                            try await Self.remove(member, team, world, by: owner.scope)
                        } else {
                            _ = try await world.store.accounts.setDisabled(member.user.id, true)
                        }
                        return nil
                    }
                    do throws(StoreError) {
                        return try await world.storedKey(of: member, team: team)
                    } catch {
                        #expect(error == .notFound)
                        return nil
                    }
                }
                if turn.isMultiple(of: 2) {
                    try await Self.join(member, team, world)
                } else {
                    _ = try await world.store.accounts.setDisabled(member.user.id, false)
                }
                for hash in results.compactMap(\.self) { #expect(try await !Self.opens(hash, world), "\(turn)") }
                #expect(try await Self.opens(try await world.key(of: member, team: team).hash, world))
            }
        }
    }

    @Test func `a person has fifty keys of a team, those of service accounts aside, and a replaced one takes no place`()
        async throws
    {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            try await Self.join(other, person.team.id, world)
            let account = try await world.serviceAccount(in: person)
            var own: [APIKey] = []
            for _ in 0..<APIKeyLimits.perPerson { own.append(try await world.key(of: person).key) }
            #expect(try await world.keyVerdict(of: person) == .personFull)
            #expect(try await world.keyVerdict(of: person, serviceAccount: account.id) == .done)
            #expect(try await world.keyVerdict(of: other, team: person.team.id) == .done)
            // Nor do many at once get more.
            try await Self.revoke(own[0], person, world)
            let many = try await world.atOnce(8) { _ in try await world.keyVerdict(of: person) }
            #expect(many.count { $0 == .done } == 1 && many.count { $0 == .personFull } == 7)
            // A rotation needs no place.
            #expect(try await Self.rotate(own[1], person, world, overlap: 60).verdict == .done)
            #expect(try await world.keyVerdict(of: person) == .personFull)
        }
    }

    @Test func `a key whose predecessor still works is not rotated, so that of one there are never three`() async throws
    {
        try await withWorld { world in
            let person = try await world.person()
            let first = try await world.key(of: person).key
            let second = try await Self.rotate(first, person, world, overlap: 3_600)
            #expect(second.verdict == .done)
            for overlap in [0, 3_600] {
                #expect(try await Self.rotate(second.key, person, world, overlap: overlap).verdict == .overlapping)
            }
            #expect(try await Self.rotate(first, person, world, overlap: 0).verdict == .replaced)
            try await Self.revoke(first, person, world)
            let third = try await Self.rotate(second.key, person, world, overlap: 60)
            #expect(third.verdict == .done)
            #expect(try await Self.rotate(third.key, person, world, overlap: 0, after: 59).verdict == .overlapping)
            #expect(try await Self.rotate(third.key, person, world, overlap: 0, after: 60).verdict == .done)
            let acts = try await world.store.audit.stored(AuditChain(person.team.id), after: .start, limit: 100)
            #expect(acts.count { $0.action == "api_key.rotated" } == 3)
        }
    }

    @Test func `every key that stands is on the list, however many have ended or follow`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            try await Self.join(other, person.team.id, world)
            let oldest = try await world.key(of: person).key
            var all: Set<APIKeyID> = [oldest.id]
            for _ in 0..<30 {
                let key = try await world.key(of: other, team: person.team.id).key
                try await Self.revoke(key, person, world)
                all.insert(key.id)
            }
            func listed(_ own: UserID?, _ scope: Scope) async throws -> [APIKey] {
                var found: [APIKey] = []
                var hasMore = true
                while hasMore {
                    let page = try await world.store.apiKeys.keys(
                        of: person.team.id,
                        actingFor: own,
                        before: found.last?.id,
                        limit: 7,
                        scope: scope
                    )
                    found += page.items
                    hasMore = page.hasMore
                    #expect(page.items.count == 7 || !hasMore)
                }
                return found
            }
            let found = try await listed(nil, person.scope)
            #expect(found.count == 31 && Set(found.map(\.id)) == all)
            #expect(found.map(\.id) == found.map(\.id).sorted().reversed())
            #expect(found.filter { $0.revokedAt == nil }.map(\.id) == [oldest.id])
            #expect(try await listed(person.user.id, person.scope).map(\.id) == [oldest.id])
            #expect(try await listed(other.user.id, other.scope).count == 30)
        }
    }

    private static func revoke(_ key: APIKey, _ person: Person, _ world: World) async throws {
        let isRevoked = try await world.store.apiKeys.revokeKey(
            key.id,
            of: key.team,
            scope: person.scope,
            now: now,
            audit: .sample("api_key.revoked", team: key.team)
        )
        try #require(isRevoked)
    }

    private static func rotate(
        _ old: APIKey,
        _ person: Person,
        _ world: World,
        overlap: Int,
        after seconds: Int = 0
    ) async throws -> (verdict: KeyVerdict, key: APIKey) {
        var new = old
        let now = Self.now.adding(seconds: seconds)
        (new.id, new.createdAt) = (APIKeyID(at: now), now)
        let verdict = try await world.store.apiKeys.rotateKey(
            old.id,
            into: new,
            hash: Family.token(),
            overlapEnd: now.adding(seconds: overlap),
            scope: person.scope,
            now: now,
            audit: .sample("api_key.rotated", team: old.team)
        )
        return (verdict, new)
    }
}
