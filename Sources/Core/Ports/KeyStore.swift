package import Bytes

/// API keys and service accounts, kept durably.
package protocol KeyStore: AnyObject {
    /// Creates a key, unless team or person have as many as they may.
    ///
    /// `notFound` when out of scope, or when the issuer is no member of the team any more.
    func createKey(
        _ key: APIKey,
        hash: [UInt8],
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> KeyVerdict
    /// The keys of a team, the ended ones of a month too, newest first; `person` for those alone that act for one.
    ///
    /// Empty when out of scope.
    func keys(
        of team: TeamID,
        actingFor person: UserID?,
        before: APIKeyID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<APIKey>
    /// One key of a team, not revoked; nil when unknown or out of scope.
    func key(_ id: APIKeyID, of team: TeamID, scope: Scope) async throws(StoreError) -> APIKey?
    /// Puts a new secret in a key's place: the same key again under a new identifier, the old one until `overlapEnd`.
    ///
    /// Not when the old one was replaced, revoked or has expired, nor while the one that it replaced still works.
    func rotateKey(
        _ old: APIKeyID,
        into new: APIKey,
        hash: [UInt8],
        overlapEnd: Timestamp,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> KeyVerdict
    /// Revokes a key of a team; false when unknown, revoked before, or out of scope.
    func revokeKey(
        _ id: APIKeyID,
        of team: TeamID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool
    /// The key with this hash while it, its issuer's membership and its service account stand; notes its use, to the minute.
    func useKey(hash: [UInt8], now: Timestamp) async throws(StoreError) -> APIKey?
    /// True while the key would still be admitted.
    func isActive(_ key: APIKeyID, now: Timestamp) async throws(StoreError) -> Bool

    /// Creates a service account; `conflict(field: "name")` when the team has one of that name, false at the team's limit.
    func createServiceAccount(
        _ account: ServiceAccount,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool
    /// The service accounts of a team, oldest first; empty when out of scope.
    func serviceAccounts(of team: TeamID, scope: Scope) async throws(StoreError) -> [ServiceAccount]
    /// Ends a service account and its keys; answers with those, nil when unknown or out of scope.
    func deleteServiceAccount(
        _ id: ServiceAccountID,
        of team: TeamID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> [APIKeyID]?
}
