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
    /// Takes room for an archive of so many `bytes` in a project's workspace, or, when that is nil, for the largest that
    /// there is room for; nil when the project is out of scope.
    ///
    /// Throws `quotaExceeded` when there is no room. The reservation ends by itself unless it is renewed.
    func holdWorkspace(
        _ project: ProjectID,
        bytes: Int64?,
        scope: Scope,
        now: Timestamp
    ) async throws(StoreError) -> WorkspaceHold?
    /// Puts the end of a reservation off.
    func renewWorkspace(_ hold: WorkspaceHold, scope: Scope, now: Timestamp) async throws(StoreError)
    /// Gives a reservation back and says how large the archive was that came; nil when none did.
    func settleWorkspace(_ hold: WorkspaceHold, bytes: Int64?, scope: Scope) async throws(StoreError)
    /// Forgets up to `limit` reservations that have ended; tells how many.
    func prune(now: Timestamp, limit: Int) async throws(StoreError) -> Int
    /// Adds up to `limit` counted changes to their sums.
    func fold(now: Timestamp, limit: Int) async throws(StoreError)
}
