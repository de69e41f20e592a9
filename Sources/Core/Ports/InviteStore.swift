package import Bytes

/// Invitations into teams, kept durably; of their tokens only hashes.
package protocol InviteStore: AnyObject {
    /// Keeps an invitation, up to the actor's own role, and the letters by which it is sent to its address.
    ///
    /// With letters it is not made when there have been more in the last hour than `OutboxLimits` let out.
    func create(
        _ invite: Invite,
        tokenHash: [UInt8],
        letters: [LetterDraft],
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict
    /// A team's invitations, newest first, older than `before`.
    func invites(
        of team: TeamID,
        before: InviteID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<Invite>
    /// The invitation of a token, whatever became of it, for whoever holds the token.
    func invite(tokenHash: [UInt8]) async throws(StoreError) -> Invite?
    /// Ends an open invitation.
    func revoke(
        _ invite: InviteID,
        of team: TeamID,
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict
    /// Makes the person of the scope a member; once, in time, for the right address, while its maker may still invite.
    func accept(
        tokenHash: [UInt8],
        now: Timestamp,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict
}

extension InviteStore {
    /// Keeps an invitation that is sent to nobody: its maker hands the link over.
    package func create(
        _ invite: Invite,
        tokenHash: [UInt8],
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> TeamVerdict {
        try await create(invite, tokenHash: tokenHash, letters: [], scope: scope, audit: audit)
    }
}
