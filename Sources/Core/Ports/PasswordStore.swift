package import Bytes

/// Passwords and the links that reset them, kept durably.
package protocol PasswordStore: AnyObject {
    /// Replaces a hash that was just checked by a costlier one of the same password; nothing when it has changed since.
    func rehash(_ user: UserID, checked: String, new: String) async throws(StoreError)
    /// Replaces the password that was checked, of this generation, and ends the other sign-ins and all reset links of the
    /// account.
    ///
    /// Answers with the sign-ins that it ended; nil when the password has changed since it was checked.
    func changePassword(
        _ user: UserID,
        checked generation: Int,
        new: String,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]?
    /// Keeps the hash of a link to a new password, in place of all others of the account; false when that is unknown or
    /// disabled.
    func issueReset(
        _ user: UserID,
        hash: [UInt8],
        now: Timestamp,
        expiresAt: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool
    /// Whose password a link may change; nil when it is unknown, used or expired, or the account is disabled.
    func resetOwner(hash: [UInt8], now: Timestamp) async throws(StoreError) -> User?
    /// Uses a link up: replaces the password and ends every sign-in and all reset links of the account.
    ///
    /// Answers with the sign-ins that it ended; nil when the link does not hold any more.
    func resetPassword(
        hash: [UInt8],
        new: String,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]?
}
