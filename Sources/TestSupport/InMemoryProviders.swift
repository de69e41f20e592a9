package import Bytes
package import Core

/// Providers, identities and sign-ins by them in memory, under the same rules as the real ones.
package final class InMemoryProviders: ProviderStore, IdentityStore {
    /// What was recorded with the acts that were done.
    package private(set) var acts: [AuditDraft] = []
    private let teams: InMemoryTeams
    private let secrets: InMemorySecrets
    private var known: [OpenIDProvider] = []
    private var linked: [UserIdentity] = []
    private var begun: [[UInt8]: ProviderSignIn] = [:]
    private var issued: [[UInt8]: Issued] = [:]

    private struct Issued {
        var grant: ProviderGrant
        var isReused = false
        var opened: SignInID?
    }

    /// Nothing is kept; accounts are added to `teams`, client secrets to `secrets`.
    package init(teams: InMemoryTeams, secrets: InMemorySecrets) {
        self.teams = teams
        self.secrets = secrets
    }
}

// MARK: - Providers

extension InMemoryProviders {
    package func add(_ provider: OpenIDProvider, sealed: [UInt8]?, audit: AuditDraft) async throws(StoreError) {
        if let team = provider.joins?.team, teams.teams[team] == nil { throw .notFound }
        guard !known.contains(where: { $0.name == provider.name }) else { throw .conflict(field: "name") }
        guard !known.contains(where: { $0.issuer == provider.issuer }) else { throw .conflict(field: "issuer") }
        try secrets.keep(sealed, in: provider.secretPlace)
        known.append(provider)
        acts.append(audit)
    }

    package func setSecret(
        of provider: OpenIDProvider,
        sealed: [UInt8],
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        guard known.contains(where: { $0.id == provider.id }) else { return false }
        try secrets.keep(sealed, in: provider.secretPlace)
        acts.append(audit)
        return true
    }

    package func remove(_ provider: OpenIDProvider, audit: AuditDraft) async throws(StoreError) -> Bool {
        guard let place = known.firstIndex(where: { $0.id == provider.id }) else { return false }
        known.remove(at: place)
        try secrets.keep(nil, in: provider.secretPlace)
        begun = begun.filter { $0.value.provider != provider.id }
        issued = issued.filter { $0.value.grant.provider != provider.id }
        acts.append(audit)
        return true
    }

    package func providers() async throws(StoreError) -> [OpenIDProvider] { known.sorted { $0.name < $1.name } }

    package func provider(named name: String) async throws(StoreError) -> OpenIDProvider? {
        known.first { $0.name == name }
    }

    package func secret(of provider: OpenIDProvider) async throws(StoreError) -> StoredSecret? {
        secrets.sealed(in: provider.secretPlace).map { StoredSecret(place: provider.secretPlace, sealed: $0) }
    }
}

// MARK: - Identities

extension InMemoryProviders {
    package func user(issuer: String, subject: String, now: Timestamp) async throws(StoreError) -> User? {
        guard let place = linked.firstIndex(where: { $0.issuer == issuer && $0.subject == subject }) else { return nil }
        linked[place].lastUsedAt = max(linked[place].lastUsedAt, now)
        return teams.users[linked[place].userID]
    }

    package func identities(of user: UserID) async throws(StoreError) -> [UserIdentity] {
        linked.filter { $0.userID == user }.sorted { ($0.linkedAt, $0.id) < ($1.linkedAt, $1.id) }
    }

    package func link(_ identity: UserIdentity, audit: AuditDraft) async throws(StoreError) {
        guard teams.users[identity.userID] != nil else { throw .notFound }
        try demandFree(identity)
        linked.append(identity)
        acts.append(audit)
    }

    package func unlink(
        _ identity: IdentityID,
        of user: UserID,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        guard let place = linked.firstIndex(where: { $0.id == identity && $0.userID == user }) else { return false }
        linked.remove(at: place)
        acts.append(audit)
        return true
    }

    package func createUser(
        _ user: User,
        passwordHash: String,
        team: Team,
        identity: UserIdentity,
        audit: [AuditDraft]
    ) async throws(StoreError) {
        guard !teams.users.values.contains(where: { $0.email == user.email }) else { throw .conflict(field: "email") }
        try demandFree(identity)
        teams.add(user)
        teams.teams[team.id] = team
        teams.people[team.id] = [user.id: (.owner, team.createdAt)]
        linked.append(identity)
        acts += audit
    }

    private func demandFree(_ identity: UserIdentity) throws(StoreError) {
        guard !linked.contains(where: { $0.issuer == identity.issuer && $0.subject == identity.subject }) else {
            throw .conflict(field: "identity")
        }
        guard !linked.contains(where: { $0.issuer == identity.issuer && $0.userID == identity.userID }) else {
            throw .conflict(field: "provider")
        }
    }
}

// MARK: - Sign-ins under way

extension InMemoryProviders {
    package func begin(_ signIn: ProviderSignIn, stateHash: [UInt8]) async throws(StoreError) {
        guard known.contains(where: { $0.id == signIn.provider }) else { throw .notFound }
        begun[stateHash] = signIn
    }

    package func takeSignIn(stateHash: [UInt8], now: Timestamp) async throws(StoreError) -> ProviderSignIn? {
        begun.removeValue(forKey: stateHash).flatMap { $0.expiresAt > now ? $0 : nil }
    }

    package func issue(_ grant: ProviderGrant, codeHash: [UInt8]) async throws(StoreError) {
        guard known.contains(where: { $0.id == grant.provider }) else { throw .notFound }
        issued[codeHash] = Issued(grant: grant)
    }

    package func grant(codeHash: [UInt8]) async throws(StoreError) -> ProviderGrant? { issued[codeHash]?.grant }

    package func redeem(codeHash: [UInt8], now: Timestamp) async throws(StoreError) -> Bool {
        guard let entry = issued[codeHash], entry.grant.usedAt == nil, entry.grant.expiresAt > now else { return false }
        issued[codeHash]?.grant.usedAt = now
        return true
    }

    package func bind(codeHash: [UInt8], to signIn: SignInID) async throws(StoreError) -> Bool {
        issued[codeHash]?.opened = signIn
        return issued[codeHash]?.isReused == false
    }

    package func noteReuse(codeHash: [UInt8]) async throws(StoreError) -> SignInID? {
        issued[codeHash]?.isReused = true
        return issued[codeHash]?.opened
    }

    package func expire(now: Timestamp, limit: Int) async throws(StoreError) {
        for (hash, _) in begun.filter({ $0.value.expiresAt < now }).prefix(limit) { begun[hash] = nil }
        let end = now.adding(seconds: -3_600)
        for (hash, _) in issued.filter({ $0.value.grant.expiresAt < end }).prefix(limit) { issued[hash] = nil }
    }
}
