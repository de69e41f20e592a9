import Bytes
package import Core

/// Sealed secrets, the names of their master keys, and model keys in memory, under the same rules as the real ones.
package final class InMemorySecrets: SecretStore, ModelKeyStore {
    private struct Kept {
        var key: ModelKey
        var sealed: [UInt8]
    }

    /// Bytes of a sealed secret of no length, and of the longest one.
    private static let lengths = 97...97 + ClearSecret.limit

    /// What was recorded with the acts that were done.
    package private(set) var acts: [AuditDraft] = []
    /// Whose key each job was granted last.
    package private(set) var granted: [JobID: ModelKeyKind] = [:]

    private let teams: InMemoryTeams
    private let clock: any TimeSource
    private var registered: [MasterKeyUse] = []
    private var kept: [ModelKeyOwner: Kept] = [:]
    /// Secrets of other nouns, which keep what else there is of them themselves.
    private var others: [SecretPlace: [UInt8]] = [:]
    private var jobs: [JobID: (team: TeamID, submitter: UserID)] = [:]

    /// Nothing is kept; whose keys may be seen and changed is asked of `teams`.
    package init(teams: InMemoryTeams, clock: any TimeSource) {
        self.teams = teams
        self.clock = clock
    }

    /// Adds a job that may be granted a model.
    package func add(_ job: Job) { jobs[job.id] = (job.teamID, job.submittedBy.bareID) }
}

// MARK: - Secrets

extension InMemorySecrets {
    package func register(_ newest: MasterKeyID, of ring: [MasterKeyID]) async throws(StoreError) -> [MasterKeyID] {
        let missing = registered.map(\.id).filter { !ring.contains($0) }
        if missing.isEmpty { _ = add(newest) }
        return missing.sorted()
    }

    package func adopt(_ newest: MasterKeyID, audit: AuditDraft) async throws(StoreError) -> Bool {
        guard add(newest) else { return false }
        acts.append(audit)
        return true
    }

    package func masterKeys() async throws(StoreError) -> [MasterKeyUse] {
        registered.map { use in
            var use = use
            use.secrets = stored.values.count { Self.masterKey(of: $0) == use.id }
            return use
        }
    }

    package func secrets(
        under key: MasterKeyID,
        after place: String,
        limit: Int
    ) async throws(StoreError) -> [StoredSecret] {
        let found = stored.filter { Self.masterKey(of: $0.value) == key && $0.key.description > place }
        return found.map { StoredSecret(place: $0.key, sealed: $0.value) }
            .sorted { $0.place.description < $1.place.description }
            .prefix(limit).map { $0 }
    }

    package func rewrap(_ secrets: [RewrappedSecret]) async throws(StoreError) -> Int {
        let changes = secrets.filter { stored[$0.place] == $0.old }
        for change in changes { try demandWhole(change.new) }
        for change in changes {
            if let owner = kept.keys.first(where: { $0.secretPlace == change.place }) {
                kept[owner]?.sealed = change.new
            } else {
                others[change.place] = change.new
            }
        }
        return changes.count
    }

    package func forget(_ key: MasterKeyID) async throws(StoreError) -> Bool {
        guard let index = registered.firstIndex(where: { $0.id == key }),
            !stored.values.contains(where: { Self.masterKey(of: $0) == key })
        else { return false }
        registered.remove(at: index)
        return true
    }

    /// Keeps another noun's secret, or for nil forgets it.
    func keep(_ sealed: [UInt8]?, in place: SecretPlace) throws(StoreError) {
        if let sealed { try demandWhole(sealed) }
        others[place] = sealed
    }

    /// What is kept in a place.
    func sealed(in place: SecretPlace) -> [UInt8]? { others[place] }

    private var stored: [SecretPlace: [UInt8]] {
        kept.reduce(into: others) { $0[$1.key.secretPlace] = $1.value.sealed }
    }

    private func add(_ key: MasterKeyID) -> Bool {
        guard !registered.contains(where: { $0.id == key }) else { return false }
        registered.append(MasterKeyUse(id: key, registeredAt: clock.now, secrets: 0))
        return true
    }

    /// What the real table checks: the form of a sealed secret, and that its master key is registered.
    private func demandWhole(_ sealed: [UInt8]) throws(StoreError) {
        guard Self.lengths.contains(sealed.count), sealed.first == 1, let key = Self.masterKey(of: sealed) else {
            throw .failed(stage: "secrets", sqlState: "23514")
        }
        guard registered.contains(where: { $0.id == key }) else { throw .conflict(field: "master_key") }
    }

    private static func masterKey(of sealed: [UInt8]) -> MasterKeyID? {
        MasterKeyID(sealed.dropFirst().prefix(MasterKeyID.length))
    }
}

// MARK: - Model keys

extension InMemorySecrets {
    package func setModelKey(
        _ key: ModelKey,
        sealed: [UInt8],
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) {
        guard mayChange(key.owner, scope), exists(key.owner) else { throw .notFound }
        try demandWhole(sealed)
        kept[key.owner] = Kept(key: key, sealed: sealed)
        acts.append(audit)
    }

    package func modelKey(of owner: ModelKeyOwner, scope: Scope) async throws(StoreError) -> ModelKey? {
        switch owner {
        case .user: guard mayChange(owner, scope) else { return nil }
        case .team(let team): guard teams.role(scope, in: team) != nil else { return nil }
        }
        return kept[owner]?.key
    }

    package func removeModelKey(
        of owner: ModelKeyOwner,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        guard mayChange(owner, scope), kept.removeValue(forKey: owner) != nil else { return false }
        acts.append(audit)
        return true
    }

    package func hasModelKey(user: UserID, team: TeamID) async throws(StoreError) -> Bool {
        kept[.user(user)] != nil || kept[.team(team)] != nil
    }

    package func grantModels(
        _ asked: [(job: JobID, fallback: ModelKeyKind?)]
    ) async throws(StoreError) -> [GrantedModel] {
        asked.compactMap { job, fallback in
            guard let found = jobs[job] else { return nil }
            let model = model(found.team, found.submitter, job, fallback)
            granted[job] = model?.kind
            return model
        }
    }

    private func model(
        _ team: TeamID,
        _ submitter: UserID,
        _ job: JobID,
        _ fallback: ModelKeyKind?
    ) -> GrantedModel? {
        let owners: [(ModelKeyOwner, ModelKeyKind)] = [(.user(submitter), .user), (.team(team), .team)]
        for (owner, kind) in owners where kind == .team || teams.users[submitter]?.isDisabled == false {
            guard let kept = kept[owner] else { continue }
            let secret = StoredSecret(place: owner.secretPlace, sealed: kept.sealed)
            return GrantedModel(
                job: job,
                kind: kind,
                stored: .init(provider: kept.key.provider, baseURL: kept.key.baseURL, secret: secret)
            )
        }
        return fallback.map { GrantedModel(job: job, kind: $0, stored: nil) }
    }

    private func mayChange(_ owner: ModelKeyOwner, _ scope: Scope) -> Bool {
        switch owner {
        case .user(let user): scope == .system || scope == .user(user)
        case .team(let team): teams.role(scope, in: team).map { $0 >= .admin } ?? false
        }
    }

    private func exists(_ owner: ModelKeyOwner) -> Bool {
        switch owner {
        case .user(let user): teams.users[user] != nil
        case .team(let team): teams.teams[team] != nil
        }
    }
}
