import Bytes
import Core

/// A store of keys that counts how often it is asked whether a key stands.
final class WatchedKeyStore: KeyStore {
    private let store: any KeyStore
    private(set) var uses = 0

    init(_ store: any KeyStore) {
        self.store = store
    }

    func useKey(hash: [UInt8], now: Timestamp) async throws(StoreError) -> APIKey? {
        uses += 1
        return try await store.useKey(hash: hash, now: now)
    }

    func createKey(
        _ key: APIKey,
        hash: [UInt8],
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> KeyVerdict {
        try await store.createKey(key, hash: hash, scope: scope, now: now, audit: audit)
    }

    func keys(
        of team: TeamID,
        actingFor person: UserID?,
        before: APIKeyID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<APIKey> {
        try await store.keys(of: team, actingFor: person, before: before, limit: limit, scope: scope)
    }

    func key(_ id: APIKeyID, of team: TeamID, scope: Scope) async throws(StoreError) -> APIKey? {
        try await store.key(id, of: team, scope: scope)
    }

    func rotateKey(
        _ old: APIKeyID,
        into new: APIKey,
        hash: [UInt8],
        overlapEnd: Timestamp,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> KeyVerdict {
        try await store.rotateKey(
            old,
            into: new,
            hash: hash,
            overlapEnd: overlapEnd,
            scope: scope,
            now: now,
            audit: audit
        )
    }

    func revokeKey(
        _ id: APIKeyID,
        of team: TeamID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        try await store.revokeKey(id, of: team, scope: scope, now: now, audit: audit)
    }

    func isActive(_ key: APIKeyID, now: Timestamp) async throws(StoreError) -> Bool {
        try await store.isActive(key, now: now)
    }

    func createServiceAccount(
        _ account: ServiceAccount,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        try await store.createServiceAccount(account, scope: scope, audit: audit)
    }

    func serviceAccounts(of team: TeamID, scope: Scope) async throws(StoreError) -> [ServiceAccount] {
        try await store.serviceAccounts(of: team, scope: scope)
    }

    func deleteServiceAccount(
        _ id: ServiceAccountID,
        of team: TeamID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> [APIKeyID]? {
        try await store.deleteServiceAccount(id, of: team, scope: scope, now: now, audit: audit)
    }
}
