package import Bytes

/// What teams have and may have; the acts themselves are held to it where they are stored, in their own transactions.
package protocol QuotaStore: AnyObject {
    /// All quotas of a team; empty when it is unknown or out of scope.
    func quotas(of team: TeamID, scope: Scope, now: Timestamp) async throws(StoreError) -> [Quota]
    /// Sets a quota of a team; false when there is no such team.
    func setQuota(
        _ name: QuotaName,
        _ setting: QuotaSetting,
        of team: TeamID,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool
    /// Sets what every team may have that has no setting of its own; what is not named has no limit.
    func setDefaults(_ defaults: [QuotaName: Int64]) async throws(StoreError)
    /// Takes room for an archive of at least `bytes` in a project's workspace; nil when the project is out of scope.
    ///
    /// Throws `quotaExceeded` when there is no room.
    func reserveWorkspace(_ project: ProjectID, bytes: Int64, scope: Scope) async throws(StoreError) -> WorkspaceRoom?
    /// Says how large the archive was that came, or what was there before when none did.
    func settleWorkspace(_ project: ProjectID, bytes: Int64, scope: Scope) async throws(StoreError)
    /// Adds up to `limit` counted changes to their sums.
    func fold(now: Timestamp, limit: Int) async throws(StoreError)
}
