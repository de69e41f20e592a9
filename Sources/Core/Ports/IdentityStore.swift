package import Bytes

/// Who people are at providers, and sign-ins by them that are under way, kept durably.
package protocol IdentityStore: AnyObject {
    /// Keeps what was asked for under the hash of its state.
    func begin(_ signIn: ProviderSignIn, stateHash: [UInt8]) async throws(StoreError)
    /// Takes out what was asked for, which one caller can do; nil when it is unknown, taken or expired.
    func takeSignIn(stateHash: [UInt8], now: Timestamp) async throws(StoreError) -> ProviderSignIn?
    /// The account that an identity opens, disabled ones too; notes the use.
    func user(issuer: String, subject: String, now: Timestamp) async throws(StoreError) -> User?
    /// A person's identities, oldest first.
    func identities(of user: UserID) async throws(StoreError) -> [UserIdentity]
    /// Links an identity to an account; `conflict` names `identity` when it is somebody's already, and `provider` when the
    /// account has another one there.
    func link(_ identity: UserIdentity, audit: AuditDraft) async throws(StoreError)
    /// Takes one of a person's identities away; false when they have none such.
    func unlink(_ identity: IdentityID, of user: UserID, audit: AuditDraft) async throws(StoreError) -> Bool
    /// Creates an account without a password, with its own team and its first identity, in one transaction.
    ///
    /// `conflict` names `email` or `identity`.
    func createUser(
        _ user: User,
        passwordHash: String,
        team: Team,
        identity: UserIdentity,
        audit: [AuditDraft]
    ) async throws(StoreError)
    /// Keeps what a one-use code stands for.
    func issue(_ grant: ProviderGrant, codeHash: [UInt8]) async throws(StoreError)
    /// What a code stands for, used and expired ones too.
    func grant(codeHash: [UInt8]) async throws(StoreError) -> ProviderGrant?
    /// Uses a code up, which one caller can do.
    func redeem(codeHash: [UInt8], now: Timestamp) async throws(StoreError) -> Bool
    /// Notes the sign-in that a code has opened; false when the code was presented again meanwhile.
    func bind(codeHash: [UInt8], to signIn: SignInID) async throws(StoreError) -> Bool
    /// Notes that a used code was presented again; answers with the sign-in that it has opened.
    func noteReuse(codeHash: [UInt8]) async throws(StoreError) -> SignInID?
    /// Forgets what has served its time, at most `limit` of each.
    func expire(now: Timestamp, limit: Int) async throws(StoreError)
}
