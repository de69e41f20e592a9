import Bytes
import Core
import Testing

@testable import Store

extension World {
    /// A client of a person's team, with a code that the person gave it.
    @discardableResult
    func client(of person: Person) async throws -> (client: OAuthClient, code: [UInt8]) {
        let client = OAuthClient(
            id: OAuthClientID(at: World.start),
            team: person.team.id,
            name: "app",
            redirectURIs: ["https://app.test/back", "http://127.0.0.1/back"],
            scopes: [.jobsRead, .projectsRead],
            isConfidential: false,
            createdBy: person.user.id,
            createdAt: World.start
        )
        let isKept = try await store.clients.createClient(
            client,
            secretHash: nil,
            scope: person.scope,
            audit: .sample("client.created", team: person.team.id)
        )
        try #require(isKept)
        return (client, try await code(of: client, by: person))
    }

    /// A code that a person gave a client.
    func code(of client: OAuthClient, by person: Person) async throws -> [UInt8] {
        let hash = Family.token()
        try await store.clients.createCode(
            AuthorizationCode(
                client: client.id,
                user: person.user.id,
                redirectURI: "https://app.test/back",
                challenge: "challenge",
                scopes: [.jobsRead],
                authenticatedAt: World.start,
                createdAt: World.start,
                expiresAt: World.start.adding(OAuthClientLimits.codeLifetime)
            ),
            hash: hash,
            audit: .sample("consent.given", team: client.team)
        )
        return hash
    }

    /// The sign-in that a code becomes, and the hash under which its rights are found.
    func redeem(
        _ code: [UInt8],
        of client: OAuthClient,
        by person: Person,
        at now: Timestamp = World.start
    ) async throws
        -> (signIn: SignInID, key: [UInt8])
    {
        let signIn = SignIn(
            id: SignInID(at: World.start),
            userID: person.user.id,
            deviceName: client.name,
            address: "a",
            userAgent: "u",
            createdAt: now,
            lastUsedAt: now,
            expiresAt: now.adding(seconds: 3_600),
            revokedAt: nil,
            clientID: client.id.description,
            scopes: [.jobsRead]
        )
        let key = Family.token()
        try await store.accounts.createSignIn(
            signIn,
            credential: .refresh(hash: Family.token()),
            grant: .code(hash: code, keyHash: key),
            passwordGeneration: nil,
            traits: [],
            notice: nil,
            audit: []
        )
        return (signIn.id, key)
    }
}

@Suite struct OAuthClientStoreTests {
    @Test func `item 40: a code becomes one sign-in in time, with the rights of a key in the client's team`()
        async throws
    {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let (client, code) = try await world.client(of: person)
            let now = World.start
            await #expect(throws: StoreError.notFound) { try await world.redeem(code, of: client, by: other) }
            await #expect(throws: StoreError.notFound) {
                try await world.redeem(code, of: client, by: person, at: now.adding(seconds: 60))
            }
            let (signIn, hash) = try await world.redeem(code, of: client, by: person)
            await #expect(throws: StoreError.notFound) { try await world.redeem(code, of: client, by: person) }
            #expect(try await world.store.clients.code(hash: code)?.signIn == signIn)
            let key = try #require(try await world.store.apiKeys.useKey(hash: hash, now: now))
            #expect(key.team == person.team.id && key.scopes == [.jobsRead] && key.issuedBy == person.user.id)
            #expect(try await world.store.accounts.signIn(signIn)?.scopes == [.jobsRead])
            // It is nobody's key to see, to rotate or to revoke.
            #expect(try await world.keys(of: person).isEmpty)
            #expect(try await world.store.apiKeys.key(key.id, of: person.team.id, scope: person.scope) == nil)
            try await world.store.accounts.revoke(signIn, now: now)
            #expect(try await world.store.apiKeys.useKey(hash: hash, now: now) == nil)
            #expect(try await !world.store.apiKeys.isActive(key.id, now: now))
        }
    }

    @Test func `a removed client leaves nothing that opens anything, and another team cannot remove it`() async throws {
        try await withWorld { world in
            let (person, other) = (try await world.person(), try await world.person())
            let (client, code) = try await world.client(of: person)
            let (signIn, hash) = try await world.redeem(code, of: client, by: person)
            let clients = world.store.clients
            let second = try await world.code(of: client, by: person)
            func remove(_ scope: Scope) async throws -> [SignInID]? {
                try await clients.removeClient(
                    client.id,
                    of: person.team.id,
                    scope: scope,
                    now: World.start,
                    audit: .sample("client.removed", team: person.team.id)
                )
            }
            #expect(try await remove(other.scope) == nil)
            #expect(try await clients.clients(of: person.team.id, scope: other.scope).isEmpty)
            #expect(try await clients.client(client.id, scope: other.scope) == nil)
            #expect(try await clients.clients(of: person.team.id, scope: person.scope) == [client])
            #expect(try await remove(person.scope) == [signIn])
            #expect(try await world.store.apiKeys.useKey(hash: hash, now: World.start) == nil)
            #expect(try await !world.store.accounts.isActive(signIn, now: World.start))
            #expect(try await clients.code(hash: second) == nil)
            await #expect(throws: StoreError.notFound) { try await world.redeem(second, of: client, by: person) }
        }
    }
}
