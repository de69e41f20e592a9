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
    /// Disables or enables an account; disabling ends its sign-ins and API keys, for good. False when unknown.
    func setDisabled(_ id: UserID, _ isDisabled: Bool, audit: AuditDraft) async throws(StoreError) -> Bool
    /// The clients and networks that a person has signed in with; empty before the first time.
    func traits(of user: UserID) async throws(StoreError) -> Set<SignInTrait>
    /// Stores a new sign-in with what opens it again, notes its traits, and leaves a notice; uses a grant up, if it came by one.
    ///
    /// `notFound` when the account is not there, or when its password is not that of `passwordGeneration` any more or it was
    /// disabled, or when the grant does not hold any more: nobody begins what a change has just ended.
    func createSignIn(
        _ signIn: SignIn,
        credential: SignInCredential,
        grant: RedeemedGrant?,
        passwordGeneration: Int?,
        traits: Set<SignInTrait>,
        notice: Notice?,
        audit: [AuditDraft]
    ) async throws(StoreError)
    /// The sign-in with this id, whether it stands or not.
    func signIn(_ id: SignInID) async throws(StoreError) -> SignIn?
    /// The sign-in that a refresh token belongs to, whether it stands or not.
    func signIn(refreshHash: [UInt8]) async throws(StoreError) -> SignIn?
    /// The sign-in of a browser's session, with its account, while both stand; notes its use, to the minute.
    func signIn(sessionHash: [UInt8], now: Timestamp) async throws(StoreError) -> (signIn: SignIn, user: User)?
    /// Notes that the person behind a sign-in has proved again who they are.
    func confirm(_ signIn: SignInID, now: Timestamp, audit: AuditDraft) async throws(StoreError)
    /// Rotates a refresh token under a row lock.
    ///
    /// The direct parent of the current token, within `window` of its first use, is answered with the sealed successor
    /// that was stored then; any older generation, and another client, revokes the sign-in, which is recorded by `audit`
    /// and told to the person with the `address` and `userAgent` that it came from.
    func refresh(
        presented hash: [UInt8],
        successorHash: [UInt8],
        sealedSuccessor: [UInt8],
        client: String,
        address: String,
        userAgent: String,
        now: Timestamp,
        window: Duration,
        audit: AuditDraft
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
    func revoke(_ signIn: SignInID, now: Timestamp, audit: AuditDraft) async throws(StoreError)
    /// Revokes one of a person's sign-ins; false when the person has none such that stands.
    func revoke(
        _ signIn: SignInID,
        of user: UserID,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool
    /// Revokes all of a person's sign-ins but `kept`; answers with those that it ended.
    func revokeAll(
        of user: UserID,
        except kept: SignInID?,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]
    /// What a person should know about their account, newest first.
    func notices(of user: UserID, limit: Int) async throws(StoreError) -> [Notice]
    /// Keeps the hash of a one-use stream ticket until `expiresAt`.
    func createTicket(hash: [UInt8], user: UserID, signIn: SignInID, expiresAt: Timestamp) async throws(StoreError)
    /// Who holds a ticket, which stays good; nil when unknown, used or expired.
    func ticket(hash: [UInt8], now: Timestamp) async throws(StoreError) -> (user: UserID, signIn: SignInID)?
    /// Takes a ticket out; nil when unknown, used or expired.
    func redeemTicket(hash: [UInt8], now: Timestamp) async throws(StoreError) -> (user: UserID, signIn: SignInID)?
}
