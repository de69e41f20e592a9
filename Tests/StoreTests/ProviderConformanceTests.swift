import Bytes
import Core
import TestSupport
import Testing

@testable import Store

/// What is promised of providers and identities, held to by PostgreSQL and by the double that other rooms test with.
@Suite struct ProviderConformanceTests {
    @Test(arguments: SecretStage.Backend.allCases)
    func `a provider comes back as it was set, once for each name and issuer`(
        _ backend: SecretStage.Backend
    ) async throws {
        try await ProviderStage.run(backend) { stage in
            #expect(try await stage.providers.providers().isEmpty)
            let second = try await stage.added("second")
            let first = try await stage.added("first")
            #expect(try await stage.providers.providers() == [first, second])
            #expect(try await stage.providers.provider(named: "first") == first)
            #expect(try await stage.providers.provider(named: "third") == nil)
            #expect(try await stage.providers.secret(of: first) == nil)
            var other = stage.provider("first")
            other.issuer = "https://other.example"
            await #expect(throws: StoreError.conflict(field: "name")) {
                try await stage.providers.add(other, sealed: nil, audit: .sample("provider.added"))
            }
            other.name = "other"
            other.issuer = first.issuer
            await #expect(throws: StoreError.conflict(field: "issuer")) {
                try await stage.providers.add(other, sealed: nil, audit: .sample("provider.added"))
            }
            let nowhere = stage.provider("third", joins: ProviderTeam(team: TeamID(at: World.start), role: .viewer))
            await #expect(throws: StoreError.notFound) {
                try await stage.providers.add(nowhere, sealed: nil, audit: .sample("provider.added"))
            }
            #expect(try await stage.providers.providers().count == 2)
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `a client secret is sealed under a known key, replaced, wrapped anew, and gone with its provider`(
        _ backend: SecretStage.Backend
    ) async throws {
        try await ProviderStage.run(backend) { stage in
            let provider = stage.provider("one")
            await #expect(throws: StoreError.conflict(field: "master_key")) {
                try await stage.providers.add(provider, sealed: .sealed(under: 1), audit: .sample("provider.added"))
            }
            #expect(try await stage.providers.providers().isEmpty)
            try await stage.registerMasterKey(1)
            try await stage.providers.add(provider, sealed: .sealed(under: 1), audit: .sample("provider.added"))
            #expect(try await stage.providers.secret(of: provider)?.sealed == .sealed(under: 1))
            #expect(try await stage.providers.secret(of: provider)?.place == provider.secretPlace)
            let audit = AuditDraft.sample("provider.secret_changed")
            let changed: [UInt8] = .sealed(under: 1, filler: 5)
            #expect(try await stage.providers.setSecret(of: provider, sealed: changed, audit: audit))
            #expect(try await !stage.providers.setSecret(of: stage.provider("two"), sealed: changed, audit: audit))
            // What a rotation of the master key does.
            #expect(try await stage.secrets.adopt(.sample(2), audit: .sample("master_key.rotated")))
            let found = try await stage.secrets.secrets(under: .sample(1), after: "", limit: 10)
            #expect(found.map(\.place) == [provider.secretPlace])
            let wrapped = found.map {
                RewrappedSecret(place: $0.place, old: $0.sealed, new: .sealed(under: 2, filler: 5))
            }
            #expect(try await stage.secrets.rewrap(wrapped) == 1)
            #expect(try await stage.providers.secret(of: provider)?.sealed == .sealed(under: 2, filler: 5))
            #expect(try await stage.secrets.forget(.sample(1)))
            #expect(try await stage.providers.remove(provider, audit: .sample("provider.removed")))
            #expect(try await !stage.providers.remove(provider, audit: .sample("provider.removed")))
            #expect(try await stage.secrets.masterKeys().map(\.secrets) == [0])
            let acts = try await stage.acts().filter { $0.hasPrefix("provider") }
            #expect(acts == ["provider.added", "provider.secret_changed", "provider.removed"])
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `item 42: the same subject at two providers is two identities, and opens what it was linked to`(
        _ backend: SecretStage.Backend
    ) async throws {
        try await ProviderStage.run(backend) { stage in
            let (one, two) = (try await stage.added("one"), try await stage.added("two"))
            let (jane, joe) = (try await stage.person(), try await stage.person())
            try await stage.link(stage.identity(of: jane, one, "7"))
            #expect(try await stage.identities.user(issuer: two.issuer, subject: "7", now: World.start) == nil)
            try await stage.link(stage.identity(of: joe, two, "7"))
            #expect(try await stage.identities.user(issuer: one.issuer, subject: "7", now: World.start) == jane)
            #expect(try await stage.identities.user(issuer: two.issuer, subject: "7", now: World.start) == joe)
            // Nobody takes an identity from its owner, and nobody has two of one provider.
            await #expect(throws: StoreError.conflict(field: "identity")) {
                try await stage.link(stage.identity(of: joe, one, "7"))
            }
            await #expect(throws: StoreError.conflict(field: "provider")) {
                try await stage.link(stage.identity(of: jane, one, "8"))
            }
            let later = World.start.adding(seconds: 60)
            _ = try await stage.identities.user(issuer: one.issuer, subject: "7", now: later)
            let kept = try #require(try await stage.identities.identities(of: jane.id).first)
            #expect(kept.lastUsedAt == later && kept.subject == "7" && kept.email == jane.email)
            let audit = AuditDraft.sample("identity.unlinked")
            #expect(try await !stage.identities.unlink(kept.id, of: joe.id, audit: audit))
            #expect(try await stage.identities.unlink(kept.id, of: jane.id, audit: audit))
            #expect(try await stage.identities.user(issuer: one.issuer, subject: "7", now: World.start) == nil)
            // A provider's entry comes and goes; who people are there stays.
            #expect(try await stage.providers.remove(two, audit: .sample("provider.removed")))
            #expect(try await stage.identities.user(issuer: two.issuer, subject: "7", now: World.start) == joe)
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `an account comes with its identity, or not at all`(_ backend: SecretStage.Backend) async throws {
        try await ProviderStage.run(backend) { stage in
            let provider = try await stage.added("one")
            let jane = stage.unmade()
            let create = { (user: User, subject: String) async throws(StoreError) in
                try await stage.identities.createUser(
                    user,
                    passwordHash: "none",
                    team: stage.team(),
                    identity: stage.identity(of: user, provider, subject),
                    audit: [.sample("user.created"), .sample("identity.linked")]
                )
            }
            try await create(jane, "7")
            #expect(try await stage.identities.user(issuer: provider.issuer, subject: "7", now: World.start) == jane)
            var joe = stage.unmade()
            await #expect(throws: StoreError.conflict(field: "identity")) { try await create(joe, "7") }
            joe.email = jane.email
            await #expect(throws: StoreError.conflict(field: "email")) { try await create(joe, "8") }
            #expect(try await stage.identities.user(issuer: provider.issuer, subject: "8", now: World.start) == nil)
            let acts = try await stage.acts().filter { $0 != "provider.added" }
            #expect(acts == ["user.created", "identity.linked"])
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `item 39: what was asked for is taken out once, and in its time`(_ backend: SecretStage.Backend) async throws {
        try await ProviderStage.run(backend) { stage in
            let provider = try await stage.added("one")
            let jane = try await stage.person()
            let linking = IdentityLinking(user: jane.id, signIn: try await stage.signIn(of: jane))
            for (number, links) in [(UInt8(1), IdentityLinking?.none), (2, linking)] {
                let hash = [UInt8](repeating: number, count: 32)
                let signIn = stage.signIn(at: provider, links: links)
                try await stage.identities.begin(signIn, stateHash: hash)
                #expect(try await stage.identities.takeSignIn(stateHash: hash, now: World.start) == signIn)
                #expect(try await stage.identities.takeSignIn(stateHash: hash, now: World.start) == nil)
                try await stage.identities.begin(signIn, stateHash: hash)
                #expect(try await stage.identities.takeSignIn(stateHash: hash, now: signIn.expiresAt) == nil)
                #expect(try await stage.identities.takeSignIn(stateHash: hash, now: World.start) == nil)
                // The provider may be gone meanwhile, and takes along what was begun by it.
                try await stage.identities.begin(signIn, stateHash: hash)
                try await stage.identities.expire(now: signIn.expiresAt.adding(seconds: 1), limit: 10)
                #expect(try await stage.identities.takeSignIn(stateHash: hash, now: World.start) == nil)
            }
        }
    }

    @Test(arguments: SecretStage.Backend.allCases)
    func `item 40: a code counts once, and its second use names what the first has opened`(
        _ backend: SecretStage.Backend
    ) async throws {
        try await ProviderStage.run(backend) { stage in
            let provider = try await stage.added("one")
            let jane = try await stage.person()
            let (now, store) = (World.start, stage.identities)
            let (first, second, third) = (
                [UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32), [UInt8](repeating: 4, count: 32)
            )
            var grant = stage.grant(provider, jane)
            try await store.issue(grant, codeHash: first)
            #expect(try await store.grant(codeHash: first) == grant)
            #expect(try await store.grant(codeHash: second) == nil)
            #expect(try await store.redeem(codeHash: first, now: now))
            #expect(try await !store.redeem(codeHash: first, now: now))
            grant.usedAt = now
            #expect(try await store.grant(codeHash: first) == grant)
            let opened = try await stage.signIn(of: jane)
            #expect(try await store.bind(codeHash: first, to: opened))
            #expect(try await store.noteReuse(codeHash: first) == opened)
            // Presented again before the sign-in is noted: whoever notes it learns that.
            try await store.issue(stage.grant(provider, jane), codeHash: second)
            #expect(try await store.redeem(codeHash: second, now: now))
            #expect(try await store.noteReuse(codeHash: second) == nil)
            #expect(try await !store.bind(codeHash: second, to: opened))
            // After its time it opens nothing; it is forgotten when that is long ago.
            var link = stage.grant(provider, jane)
            link.purpose = .link(opened, issuer: provider.issuer, subject: "7", email: nil)
            try await store.issue(link, codeHash: third)
            #expect(try await store.grant(codeHash: third) == link)
            #expect(try await !store.redeem(codeHash: third, now: link.expiresAt))
            try await store.expire(now: link.expiresAt.adding(seconds: 3_600), limit: 10)
            #expect(try await store.grant(codeHash: third) != nil)
            try await store.expire(now: link.expiresAt.adding(seconds: 3_601), limit: 10)
            #expect(try await store.grant(codeHash: third) == nil)
        }
    }
}
