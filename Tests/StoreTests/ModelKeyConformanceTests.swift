import Bytes
import Core
import Testing

@testable import Store

/// What is promised of model keys, held to by PostgreSQL and by the double that other rooms test with.
@Suite struct ModelKeyConformanceTests {
    @Test(arguments: SecretStage.Backend.allCases)
    func `what may be shown of a key comes back, and a new key takes its place`(
        _ backend: SecretStage.Backend
    ) async throws {
        try await SecretStage.run(backend) { stage in
            try await stage.register(1)
            let person = try await stage.person()
            for owner in [ModelKeyOwner.user(person.user.id), .team(person.team.id)] {
                #expect(try await stage.modelKeys.modelKey(of: owner, scope: person.scope) == nil)
                try await stage.setModelKey(of: owner, by: person)
                try await stage.setModelKey(of: owner, by: person, filler: 7, verifiedAt: World.start)
                let key = ModelKey(
                    owner: owner,
                    provider: .compatible,
                    baseURL: "https://gateway.example",
                    lastFour: "wxyz",
                    setBy: person.user.id,
                    setAt: World.start,
                    verifiedAt: World.start
                )
                #expect(try await stage.modelKeys.modelKey(of: owner, scope: person.scope) == key)
            }
            #expect(try await stage.secrets.masterKeys().map(\.secrets) == [2])
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `another team's key is neither seen, set nor removed`(_ backend: SecretStage.Backend) async throws {
        try await SecretStage.run(backend) { stage in
            try await stage.register(1)
            let (mine, theirs) = (try await stage.person(), try await stage.person())
            let owners = [ModelKeyOwner.team(theirs.team.id), .user(theirs.user.id)]
            for owner in owners {
                await #expect(throws: StoreError.notFound) { try await stage.setModelKey(of: owner, by: mine) }
                try await stage.setModelKey(of: owner, by: theirs)
                #expect(try await stage.modelKeys.modelKey(of: owner, scope: mine.scope) == nil)
                await #expect(throws: StoreError.notFound) { try await stage.setModelKey(of: owner, by: mine) }
                let audit = AuditDraft.sample("model_key.removed", team: theirs.team.id)
                let keys = stage.modelKeys
                #expect(try await !keys.removeModelKey(of: owner, scope: mine.scope, audit: audit))
                #expect(try await keys.modelKey(of: owner, scope: theirs.scope) != nil)
            }
        }
    }

    @Test(arguments: SecretStage.Backend.allCases, Role.allCases)
    func `whatever a server forgot to ask, a team's key is changed by its administrators alone`(
        _ backend: SecretStage.Backend,
        role: Role
    ) async throws {
        let isAllowed = role >= .admin
        try await SecretStage.run(backend) { stage in
            try await stage.register(1)
            let (founder, guest) = (try await stage.person(), try await stage.person())
            try await stage.join(guest, founder.team.id, role)
            let owner = ModelKeyOwner.team(founder.team.id)
            try await stage.setModelKey(of: owner, by: founder)
            let keys = stage.modelKeys
            #expect(try await keys.modelKey(of: owner, scope: guest.scope) != nil)
            if isAllowed {
                try await stage.setModelKey(of: owner, by: guest, filler: 5)
            } else {
                await #expect(throws: StoreError.notFound) {
                    try await stage.setModelKey(of: owner, by: guest, filler: 5)
                }
            }
            let audit = AuditDraft.sample("model_key.removed", team: founder.team.id)
            #expect(try await keys.removeModelKey(of: owner, scope: guest.scope, audit: audit) == isAllowed)
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `each change is recorded, a removal of nothing is not`(_ backend: SecretStage.Backend) async throws {
        try await SecretStage.run(backend) { stage in
            try await stage.register(1)
            let person = try await stage.person()
            let owner = ModelKeyOwner.team(person.team.id)
            let removed = AuditDraft.sample("model_key.removed", team: person.team.id)
            let keys = stage.modelKeys
            #expect(try await !keys.removeModelKey(of: owner, scope: person.scope, audit: removed))
            try await stage.setModelKey(of: owner, by: person)
            #expect(try await keys.removeModelKey(of: owner, scope: person.scope, audit: removed))
            #expect(try await !keys.removeModelKey(of: owner, scope: person.scope, audit: removed))
            #expect(try await keys.modelKey(of: owner, scope: person.scope) == nil)
            #expect(try await stage.secrets.masterKeys().map(\.secrets) == [0])
            let acts = try await stage.acts(of: .team(person.team.id))
            #expect(acts.filter { $0.hasPrefix("model_key") } == ["model_key.set", "model_key.removed"])
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `a job gets its submitter's key, else its team's, else what the server has, and never another's`(
        _ backend: SecretStage.Backend
    ) async throws {
        try await SecretStage.run(backend) { stage in
            try await stage.register(1)
            let (owner, guest, stranger) = (
                try await stage.person(), try await stage.person(), try await stage.person()
            )
            try await stage.join(guest, owner.team.id, .member)
            try await stage.setModelKey(of: .user(stranger.user.id), by: stranger)
            try await stage.setModelKey(of: .team(stranger.team.id), by: stranger)
            try await stage.setModelKey(of: .team(guest.team.id), by: guest)
            let job = try await stage.agentJob(guest, in: owner)
            #expect(try await !stage.modelKeys.hasModelKey(user: guest.user.id, team: owner.team.id))
            #expect(try await stage.grant(job) == nil)
            #expect(try await stage.kind(of: job) == nil)
            for kind in [ModelKeyKind.standIn, .installation] {
                let granted = try await stage.grant(job, fallback: kind)
                #expect(granted == GrantedModel(job: job.id, kind: kind, stored: nil))
                #expect(try await stage.kind(of: job) == kind)
            }
            try await stage.setModelKey(of: .team(owner.team.id), by: owner, filler: 2)
            #expect(try await stage.modelKeys.hasModelKey(user: guest.user.id, team: owner.team.id))
            var granted = try #require(try await stage.grant(job, fallback: .installation))
            #expect(granted.kind == .team && granted.stored?.secret.sealed == .sealed(under: 1, filler: 2))
            #expect(granted.stored?.secret.place == ModelKeyOwner.team(owner.team.id).secretPlace)
            try await stage.setModelKey(of: .user(guest.user.id), by: guest, filler: 3)
            granted = try #require(try await stage.grant(job, fallback: .installation))
            #expect(granted.kind == .user && granted.stored?.secret.sealed == .sealed(under: 1, filler: 3))
            #expect(granted.stored?.secret.place == ModelKeyOwner.user(guest.user.id).secretPlace)
            #expect(try await stage.kind(of: job) == .user)
            // The key of an account that was disabled is not used up by what it left behind.
            try await stage.disable(guest)
            granted = try #require(try await stage.grant(job))
            #expect(granted.kind == .team)
            let audit = AuditDraft.sample("model_key.removed", team: owner.team.id)
            let keys = stage.modelKeys
            #expect(try await keys.removeModelKey(of: .team(owner.team.id), scope: owner.scope, audit: audit))
            #expect(try await stage.grant(job) == nil)
            #expect(try await stage.kind(of: job) == nil)
        }
    }
}
