package import Bytes

/// Second factors and recovery codes, kept durably.
///
/// Acts that change what a person can prove end their other sign-ins, leave them a notice and are recorded, all in one
/// transaction; they answer with nil, and do nothing, when there is nothing to change.
package protocol FactorStore: AnyObject {
    /// What a person has.
    func factors(of user: UserID) async throws(StoreError) -> SecondFactors
    /// Keeps a sealed secret that is still to be confirmed, in place of another such; false beside a confirmed one.
    func beginTOTP(_ user: UserID, sealed: [UInt8], now: Timestamp) async throws(StoreError) -> Bool
    /// Opens one try at a code, counted as wrong until one is accepted; `FactorBackoff` says how long is waited between.
    func attemptCode(of user: UserID, now: Timestamp) async throws(StoreError) -> CodeAttempt
    /// Makes a factor of the secret that was begun at `begunAt`, with the step of the code that proved it.
    func confirmTOTP(
        _ user: UserID,
        step: Int64,
        begunAt: Timestamp,
        recoveryHashes: [[UInt8]],
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]?
    /// Accepts a code by its step, and forgets the wrong ones; false when this step or a later one has been accepted.
    func acceptCode(of user: UserID, step: Int64) async throws(StoreError) -> Bool
    /// Takes the authenticator application away, and with the last factor the recovery codes.
    func removeTOTP(
        _ user: UserID,
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]?
    /// Uses a recovery code up and answers with the number left; nil when it is none, or was used.
    func useRecoveryCode(
        of user: UserID,
        hash: [UInt8],
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> Int?
    /// Replaces all recovery codes; false for a person without a factor.
    func replaceRecoveryCodes(
        of user: UserID,
        hashes: [[UInt8]],
        audit: AuditDraft
    ) async throws(StoreError) -> Bool
    /// Takes every factor of a person away, and ends all their sign-ins.
    func resetFactors(of user: UserID, notice: Notice, audit: AuditDraft) async throws(StoreError) -> [SignInID]?
    /// Records a refused proof, and tells the person when there is something to tell.
    func refuse(of user: UserID, notice: Notice?, audit: AuditDraft) async throws(StoreError)

    /// Lets a team demand a second factor of its members, or not.
    func setFactorPolicy(
        _ team: TeamID,
        isRequired: Bool,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> FactorPolicyVerdict
    /// Whether the object is of a team of this person's that demands a factor which the person has not.
    func holdsBack(_ user: UserID, from object: GuardedObject) async throws(StoreError) -> Bool
}

/// Passkeys, kept durably; they are factors too, and what `FactorStore` says of acts holds here.
package protocol PasskeyStore: AnyObject {
    /// A person's passkeys, oldest first.
    func passkeys(of user: UserID) async throws(StoreError) -> [Passkey]
    /// The passkey that an authenticator names.
    func passkey(credentialID: [UInt8]) async throws(StoreError) -> Passkey?
    /// Keeps a new passkey, and the recovery codes when the person has none.
    func addPasskey(
        _ passkey: Passkey,
        answering challenge: AnsweredChallenge,
        recoveryHashes: [[UInt8]],
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> PasskeyAddition
    /// Notes the use of a passkey, unless its counter did not grow or the challenge was answered before.
    func usePasskey(
        _ id: PasskeyID,
        signCount: UInt32,
        isBackedUp: Bool,
        answering challenge: AnsweredChallenge,
        now: Timestamp
    ) async throws(StoreError) -> PasskeyUse
    /// Takes a passkey away, and with the last factor the recovery codes.
    func removePasskey(
        _ id: PasskeyID,
        of user: UserID,
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]?
}
