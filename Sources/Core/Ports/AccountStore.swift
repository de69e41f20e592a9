package import Bytes

/// Accounts and sign-ins, kept durably.
package protocol AccountStore: AnyObject {
    /// Creates an account, its own team of the same name with the account as owner, in one transaction.
    func createUser(_ user: User, passwordHash: String, team: Team, audit: [AuditDraft]) async throws(StoreError)
    /// The account with this canonical address and its password hash.
    func credentials(email: String) async throws(StoreError) -> UserCredentials?
    /// The account with this id.
    func user(_ id: UserID) async throws(StoreError) -> User?
    /// All accounts, oldest first.
    func users() async throws(StoreError) -> [User]
    /// Disables or enables an account; disabling revokes its sign-ins in the same transaction. False when unknown.
    func setDisabled(_ id: UserID, _ isDisabled: Bool, audit: AuditDraft) async throws(StoreError) -> Bool
    /// Replaces a password hash (a rehash; revokes nothing).
    func setPasswordHash(_ id: UserID, _ passwordHash: String) async throws(StoreError)
    /// Stores a new sign-in with the hash of its first refresh token.
    func createSignIn(_ signIn: SignIn, refreshHash: [UInt8]) async throws(StoreError)
    /// Rotates a refresh token under a row lock.
    ///
    /// The direct parent of the current token, within `window` of its first use, is answered with the sealed successor
    /// that was stored then; any older generation revokes the sign-in.
    func refresh(
        presented hash: [UInt8],
        successorHash: [UInt8],
        sealedSuccessor: [UInt8],
        now: Timestamp,
        window: Duration
    ) async throws(StoreError) -> RefreshOutcome
    /// True while the sign-in is neither revoked nor expired and its account is enabled; notes its use, to the minute.
    func isActive(_ signIn: SignInID, now: Timestamp) async throws(StoreError) -> Bool
    /// The sign-ins of a person that still stand, newest first, older than `before`.
    func signIns(
        of user: UserID,
        before: SignInID?,
        limit: Int,
        now: Timestamp
    ) async throws(StoreError) -> Page<SignIn>
    /// Revokes a sign-in; idempotent.
    func revoke(_ signIn: SignInID, now: Timestamp) async throws(StoreError)
    /// Revokes one of a person's sign-ins; false when the person has none such that stands.
    func revoke(_ signIn: SignInID, of user: UserID, now: Timestamp) async throws(StoreError) -> Bool
    /// Revokes all of a person's sign-ins but `kept`; answers with those that it ended.
    func revokeAll(of user: UserID, except kept: SignInID?, now: Timestamp) async throws(StoreError) -> [SignInID]
    /// Keeps the hash of a one-use stream ticket until `expiresAt`.
    func createTicket(hash: [UInt8], user: UserID, signIn: SignInID, expiresAt: Timestamp) async throws(StoreError)
    /// Who holds a ticket, which stays good; nil when unknown, used or expired.
    func ticket(hash: [UInt8], now: Timestamp) async throws(StoreError) -> (user: UserID, signIn: SignInID)?
    /// Takes a ticket out; nil when unknown, used or expired.
    func redeemTicket(hash: [UInt8], now: Timestamp) async throws(StoreError) -> (user: UserID, signIn: SignInID)?
}
