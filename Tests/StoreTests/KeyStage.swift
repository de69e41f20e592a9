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
        let key = APIKey(
            id: APIKeyID(at: Self.start),
            team: team ?? person.team.id,
            name: unique("key"),
            hint: "errand_abcd",
            issuedBy: person.user.id,
            serviceAccount: serviceAccount,
            scopes: [.jobsRead, .projectsWrite],
            projects: projects,
            createdAt: Self.start,
            expiresAt: expiresAt
        )
        let hash = Family.token()
        let isStored = try await store.apiKeys.createKey(
            key,
            hash: hash,
            scope: scope ?? person.scope,
            now: Self.start,
            audit: .sample("api_key.created", team: key.team)
        )
        guard isStored else { throw Unexpected(what: "as many keys as a team may have") }
        return (key, hash)
    }
}
