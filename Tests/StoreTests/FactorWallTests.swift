import Bytes
import Core
import Crypto
import Testing

@testable import Store

/// What a team's demand for second factors hides, past every check of the layers above.
@Suite struct FactorWallTests {
    @Test func `a member without the factor that a team demands sees its name and nothing in it, until enrolled`()
        async throws
    {
        try await FactorStage.run(.postgres) { stage in
            let world = stage.world
            let owner = try await world.person()
            let member = try await world.person()
            _ = try await world.store.teams.addMember(
                member.user.id,
                to: owner.team.id,
                role: .member,
                now: World.start,
                audit: .sample("member.added", team: owner.team.id)
            )
            let job = try await world.submit([world.job(owner)], by: owner)[0]
            try await stage.enrol(owner.user.id)
            func sees(_ person: Person) async throws -> [Bool] {
                [
                    try await world.store.projects.project(owner.project.id, scope: person.scope) != nil,
                    try await world.store.jobs.job(job.id, scope: person.scope) != nil,
                    try await world.store.projects.projects(team: nil, before: nil, limit: 10, scope: person.scope)
                        .items.contains { $0.id == owner.project.id },
                ]
            }
            #expect(try await sees(member) == [true, true, true])
            let verdict = try await world.store.factors.setFactorPolicy(
                owner.team.id,
                isRequired: true,
                scope: owner.scope,
                audit: .sample("team.factor_policy_changed", team: owner.team.id)
            )
            #expect(verdict == .done)
            #expect(try await sees(member) == [false, false, false])
            #expect(try await sees(owner) == [true, true, true])
            let teams = try await world.store.teams.memberships(of: member.user.id)
            #expect(teams.contains { $0.team.id == owner.team.id && $0.team.requiresSecondFactor })
            #expect(teams.contains { $0.team.id == member.team.id && !$0.team.requiresSecondFactor })
            #expect(try await world.store.projects.project(member.project.id, scope: member.scope) != nil)
            let people = try await world.store.teams.members(
                of: owner.team.id,
                after: nil,
                limit: 10,
                scope: member.scope
            )
            #expect(people.items.map(\.user.id) == [member.user.id])
            for object in [GuardedObject.team(owner.team.id), .project(owner.project.id), .job(job.id)] {
                #expect(try await world.store.factors.holdsBack(member.user.id, from: object))
                #expect(try await world.store.factors.holdsBack(owner.user.id, from: object) == false)
                #expect(try await world.store.factors.holdsBack(stage.other, from: object) == false)
            }
            await #expect(throws: (any Error).self) {
                var job = world.job(owner)
                job.submittedBy = .person(member.user.id)
                try await world.submit([job], by: member)
            }
            try await stage.enrol(member.user.id)
            #expect(try await sees(member) == [true, true, true])
        }
    }

    @Test func `an administrator without the factor that a team demands changes nothing there, and may leave`()
        async throws
    {
        try await FactorStage.run(.postgres) { stage in
            let world = stage.world
            let (owner, admin) = (try await world.person(), try await world.person())
            let (team, teams) = (owner.team.id, world.store.teams)
            _ = try await teams.addMember(admin.user.id, to: team, role: .admin, now: World.start, audit: .sample("x"))
            func rename() async throws -> TeamVerdict {
                try await teams.rename(team, to: world.unique("name"), scope: admin.scope, audit: .sample("x"))
            }
            func update() async throws -> Bool {
                try await world.store.projects.updateProject(
                    owner.project.id,
                    name: world.unique("name"),
                    policy: nil,
                    scope: admin.scope,
                    audit: .sample("x")
                ) != nil
            }
            #expect(try await rename() == .done)
            #expect(try await update())
            try await stage.enrol(owner.user.id)
            let verdict = try await world.store.factors.setFactorPolicy(
                team,
                isRequired: true,
                scope: owner.scope,
                audit: .sample("x")
            )
            #expect(verdict == .done)
            #expect(try await rename() == .forbidden)
            #expect(try await !update())
            let thrown = try await teams.removeMember(
                owner.user.id,
                from: team,
                scope: admin.scope,
                audit: .sample("x")
            )
            #expect(thrown == .forbidden)
            let left = try await teams.removeMember(admin.user.id, from: team, scope: admin.scope, audit: .sample("x"))
            #expect(left == .done)
        }
    }

    @Test func `item 24: a sign-in that was checked before a new factor does not begin after it`() async throws {
        try await FactorStage.run(.postgres) { stage in
            let accounts = stage.world.store.accounts
            let person = try await stage.world.person()
            func generation() async throws -> Int {
                try #require(try await accounts.credentials(email: person.user.email)).passwordGeneration
            }
            func begin(_ generation: Int) async throws {
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
                    credential: .refresh(hash: SecureRandom.bytes(32)),
                    grant: nil,
                    passwordGeneration: generation,
                    traits: [],
                    notice: nil,
                    audit: []
                )
            }
            let before = try await generation()
            try await begin(before)
            try await stage.enrol(person.user.id)
            await #expect(throws: StoreError.notFound) { try await begin(before) }
            let between = try await generation()
            try await begin(between)
            _ = try await stage.add(stage.passkey(1, of: person.user.id), 50)
            await #expect(throws: StoreError.notFound) { try await begin(between) }
            // What a lost passkey was opening ends with it, too.
            let added = try await generation()
            let lost = stage.passkey(2, of: person.user.id)
            _ = try await stage.add(lost, 51)
            let held = try await generation()
            _ = try await stage.passkeys.removePasskey(
                lost.id,
                of: person.user.id,
                keeping: nil,
                notice: stage.notice(.factorDisabled),
                audit: .sample("passkey.removed")
            )
            for stale in [added, held] { await #expect(throws: StoreError.notFound) { try await begin(stale) } }
            // Taking codes away lets nobody in who was not before.
            let after = try await generation()
            _ = try await stage.factors.removeTOTP(
                person.user.id,
                keeping: nil,
                notice: stage.notice(.factorDisabled),
                audit: .sample("factor.disabled")
            )
            try await begin(after)
        }
    }
}
