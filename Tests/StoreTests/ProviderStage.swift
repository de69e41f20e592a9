import Bytes
import Core
import TestSupport
import Testing

@testable import Store

/// Providers with people, over the real stores or the ones in memory.
final class ProviderStage {
    let providers: any ProviderStore
    let identities: any IdentityStore
    let secrets: any SecretStore
    private let world: World
    private let memory: (teams: InMemoryTeams, providers: InMemoryProviders)?

    fileprivate init(_ backend: SecretStage.Backend, _ world: World) {
        self.world = world
        if backend == .memory {
            let teams = InMemoryTeams()
            let kept = InMemorySecrets(teams: teams, clock: ManualTime(World.start))
            let store = InMemoryProviders(teams: teams, secrets: kept)
            memory = (teams, store)
            (providers, identities, secrets) = (store, store, kept)
        } else {
            memory = nil
            (providers, identities, secrets) = (world.store.providers, world.store.identities, world.store.secrets)
        }
    }

    static func run(
        _ backend: SecretStage.Backend,
        _ body: @escaping @Sendable (ProviderStage) async throws -> Void
    ) async throws {
        try await withWorld { try await body(ProviderStage(backend, $0)) }
    }

    /// An account.
    func person() async throws -> User {
        guard let memory else { return try await world.person().user }
        let user = unmade()
        memory.teams.add(user)
        return user
    }

    /// An account that nobody has made yet.
    func unmade() -> User {
        let name = world.unique("person")
        return User(
            id: UserID(at: World.start),
            email: "\(name)@example.org",
            name: name,
            isAdministrator: false,
            isDisabled: false,
            createdAt: World.start
        )
    }

    func team() -> Team { Team(id: TeamID(at: World.start), name: world.unique("team"), createdAt: World.start) }

    /// A sign-in of a person that stands.
    func signIn(of user: User) async throws -> SignInID {
        let id = SignInID(at: World.start)
        guard memory == nil else { return id }
        let signIn = SignIn(
            id: id,
            userID: user.id,
            deviceName: "laptop",
            address: "192.0.2.1",
            userAgent: "test",
            createdAt: World.start,
            lastUsedAt: World.start,
            expiresAt: World.start.adding(seconds: 86_400),
            revokedAt: nil
        )
        try await world.store.accounts.createSignIn(signIn, refreshHash: id.uuidBytes + id.uuidBytes)
        return id
    }

    func registerMasterKey(_ number: UInt8) async throws {
        _ = try await secrets.register(.sample(number), of: [.sample(number)])
    }

    /// A provider of a name, which nobody has added yet.
    func provider(_ name: String, joins: ProviderTeam? = nil) -> OpenIDProvider {
        OpenIDProvider(
            id: ProviderID(at: World.start),
            name: name,
            label: "Provider \(name)",
            issuer: "https://\(name).example",
            clientID: "client-of-\(name)",
            domains: ["example.org", "example.com"],
            makesAccounts: true,
            joins: joins,
            isInternal: false,
            vouchesForAddresses: true,
            createdAt: World.start
        )
    }

    /// A provider that is there.
    func added(_ name: String, sealed: [UInt8]? = nil) async throws -> OpenIDProvider {
        let provider = provider(name)
        try await providers.add(provider, sealed: sealed, audit: .sample("provider.added"))
        return provider
    }

    func identity(of user: User, _ provider: OpenIDProvider, _ subject: String) -> UserIdentity {
        UserIdentity(
            id: IdentityID(at: World.start),
            userID: user.id,
            issuer: provider.issuer,
            subject: subject,
            email: user.email,
            linkedAt: World.start,
            lastUsedAt: World.start
        )
    }

    func link(_ identity: UserIdentity) async throws(StoreError) {
        try await identities.link(identity, audit: .sample("identity.linked"))
    }

    /// What is asked for at the beginning.
    func signIn(at provider: OpenIDProvider, links: IdentityLinking?) -> ProviderSignIn {
        ProviderSignIn(
            provider: provider.id,
            salt: [UInt8](repeating: 3, count: 32),
            challenge: String(repeating: "c", count: 43),
            redirect: "http://127.0.0.1:4711/done",
            clientState: links == nil ? nil : "mine",
            wantsFresh: links != nil,
            links: links,
            startedAt: World.start,
            expiresAt: World.start.adding(seconds: 600)
        )
    }

    /// A code for a person's sign-in.
    func grant(_ provider: OpenIDProvider, _ user: User, expiresIn seconds: Int = 60) -> ProviderGrant {
        ProviderGrant(
            provider: provider.id,
            user: user.id,
            purpose: .signIn(authenticatedAt: World.start),
            challenge: String(repeating: "c", count: 43),
            redirect: "http://127.0.0.1:4711/",
            expiresAt: World.start.adding(seconds: seconds)
        )
    }

    /// What was recorded outside teams, in order.
    func acts() async throws -> [String] {
        guard let memory else { return try await world.acts(of: .installation).map(\.action) }
        return memory.providers.acts.filter { $0.team == nil }.map(\.action)
    }
}

extension World {
    /// A provider with a person's identity there, and a sign-in and a code of theirs under way.
    func giveIdentity(_ person: Person) async throws {
        let stage = ProviderStage(.postgres, self)
        let provider = try await stage.added("of-\(person.user.name)")
        try await stage.link(stage.identity(of: person.user, provider, "7"))
        try await stage.identities.begin(
            stage.signIn(at: provider, links: nil),
            stateHash: person.user.id.uuidBytes + person.user.id.uuidBytes
        )
        let code = person.user.id.uuidBytes + person.team.id.uuidBytes
        try await stage.identities.issue(stage.grant(provider, person.user), codeHash: code)
    }
}
