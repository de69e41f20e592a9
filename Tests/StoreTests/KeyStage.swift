import Bytes
import Core
import Testing

@testable import Store

extension World {
    /// A service account in a person's team.
    func serviceAccount(in person: Person, _ role: Role = .member, team: TeamID? = nil) async throws -> ServiceAccount {
        let account = ServiceAccount(
            id: ServiceAccountID(at: Self.start),
            team: team ?? person.team.id,
            name: unique("account"),
            role: role,
            createdBy: person.user.id,
            createdAt: Self.start
        )
        let isStored = try await store.apiKeys.createServiceAccount(
            account,
            scope: person.scope,
            audit: .sample("service_account.created")
        )
        try #require(isStored)
        return account
    }

    /// A key in a person's team, with the hash of its secret.
    func key(
        of person: Person,
        team: TeamID? = nil,
        serviceAccount: ServiceAccountID? = nil,
        projects: [ProjectID]? = nil,
        expiresAt: Timestamp? = nil,
        scope: Scope? = nil
    ) async throws -> (key: APIKey, hash: [UInt8]) {
        var key = newKey(of: person, team: team, serviceAccount: serviceAccount)
        (key.projects, key.expiresAt) = (projects, expiresAt)
        let hash = Family.token()
        let verdict = try await store(key, hash, scope: scope ?? person.scope)
        guard verdict == .done else { throw Unexpected(what: "a key: \(verdict)") }
        return (key, hash)
    }

    /// Stores a key in a person's team, and gives the hash of its secret.
    func storedKey(of person: Person, team: TeamID) async throws(StoreError) -> [UInt8] {
        let hash = Family.token()
        _ = try await store(newKey(of: person, team: team), hash, scope: person.scope)
        return hash
    }

    /// A team's keys as its owner sees them, or another scope.
    func keys(of person: Person, scope: Scope? = nil) async throws(StoreError) -> [APIKey] {
        try await store.apiKeys.keys(
            of: person.team.id,
            actingFor: nil,
            before: nil,
            limit: 1_000,
            scope: scope ?? person.scope
        ).items
    }

    /// What becomes of a further key in a person's team.
    func keyVerdict(
        of person: Person,
        team: TeamID? = nil,
        serviceAccount: ServiceAccountID? = nil
    ) async throws -> KeyVerdict {
        let key = newKey(of: person, team: team, serviceAccount: serviceAccount)
        return try await store(key, Family.token(), scope: person.scope)
    }

    private func newKey(of person: Person, team: TeamID?, serviceAccount: ServiceAccountID? = nil) -> APIKey {
        APIKey(
            id: APIKeyID(at: Self.start),
            team: team ?? person.team.id,
            name: unique("key"),
            hint: "errand_abcd",
            issuedBy: person.user.id,
            serviceAccount: serviceAccount,
            scopes: [.jobsRead, .projectsWrite],
            projects: nil,
            createdAt: Self.start,
            expiresAt: nil
        )
    }

    private func store(_ key: APIKey, _ hash: [UInt8], scope: Scope) async throws(StoreError) -> KeyVerdict {
        try await store.apiKeys.createKey(
            key,
            hash: hash,
            scope: scope,
            now: Self.start,
            audit: .sample("api_key.created", team: key.team)
        )
    }
}
