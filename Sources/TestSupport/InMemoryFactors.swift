package import Bytes
package import Core

/// Second factors and passkeys in memory, with the verdicts of the real ones.
package final class InMemoryFactors: FactorStore, PasskeyStore {
    /// Thrown by each call while set.
    package var failure: StoreError?
    /// What a person is told.
    package private(set) var notices: [(user: UserID, notice: Notice)] = []
    /// What is recorded.
    package private(set) var acts: [AuditDraft] = []
    /// The sign-ins that stand.
    package var signIns: [UserID: Set<SignInID>] = [:]
    /// The role of a scope in a team, and whose team an object is.
    package var roleOf: (TeamID, Scope) -> Role? = { _, _ in nil }
    package var teamOf: (GuardedObject) -> TeamID? = { if case .team(let id) = $0 { id } else { nil } }

    private var totp: [UserID: TOTPFactor] = [:]
    private var confirmedAt: [UserID: Timestamp] = [:]
    private var codes: [UserID: [[UInt8]: Bool]] = [:]
    private var attempts: [UserID: (failures: Int, openAt: Timestamp)] = [:]
    private var keys: [Passkey] = []
    private var spent: Set<[UInt8]> = []
    private var demanding: Set<TeamID> = []

    /// Nobody has anything.
    package init() {}

    package func factors(of user: UserID) async throws(StoreError) -> SecondFactors {
        try check()
        return SecondFactors(
            totpSince: confirmedAt[user],
            passkeys: keys.count { $0.user == user },
            recoveryCodes: codes[user, default: [:]].values.count { !$0 }
        )
    }

    package func beginTOTP(_ user: UserID, sealed: [UInt8], now: Timestamp) async throws(StoreError) -> Bool {
        try check()
        if totp[user]?.isConfirmed == true { return false }
        let secret = StoredSecret(place: TOTPFactor.place(of: user), sealed: sealed)
        totp[user] = TOTPFactor(secret: secret, begunAt: now, isConfirmed: false, lastStep: nil)
        return true
    }

    package func attemptCode(of user: UserID, now: Timestamp) async throws(StoreError) -> CodeAttempt {
        try check()
        guard let factor = totp[user] else { return .none }
        var tries = attempts[user] ?? (0, now)
        if now < tries.openAt, tries.openAt <= now.adding(FactorBackoff.longest) { return .heldUp(tries.openAt - now) }
        tries.failures += 1
        tries.openAt = now.adding(FactorBackoff.wait(afterFailures: tries.failures))
        attempts[user] = tries
        return .open(factor, failures: tries.failures)
    }

    package func confirmTOTP(
        _ user: UserID,
        step: Int64,
        begunAt: Timestamp,
        recoveryHashes: [[UInt8]],
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        try check()
        guard var factor = totp[user], !factor.isConfirmed, factor.begunAt == begunAt else { return nil }
        (factor.isConfirmed, factor.lastStep) = (true, step)
        totp[user] = factor
        confirmedAt[user] = notice.createdAt
        attempts[user] = nil
        put(recoveryHashes, user)
        return changed(user, kept, notice, audit)
    }

    package func acceptCode(of user: UserID, step: Int64) async throws(StoreError) -> Bool {
        try check()
        guard let factor = totp[user], factor.isConfirmed, factor.lastStep.map({ $0 < step }) ?? true else {
            return false
        }
        totp[user]?.lastStep = step
        attempts[user] = nil
        return true
    }

    package func removeTOTP(
        _ user: UserID,
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        try check()
        guard totp[user]?.isConfirmed == true else { return nil }
        (totp[user], confirmedAt[user], attempts[user]) = (nil, nil, nil)
        if !hasFactor(user) { codes[user] = nil }
        return changed(user, kept, notice, audit)
    }

    package func useRecoveryCode(
        of user: UserID,
        hash: [UInt8],
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> Int? {
        try check()
        guard codes[user]?[hash] == false else { return nil }
        codes[user]?[hash] = true
        attempts[user] = nil
        notices.append((user, notice))
        acts.append(audit)
        return codes[user, default: [:]].values.count { !$0 }
    }

    package func replaceRecoveryCodes(
        of user: UserID,
        hashes: [[UInt8]],
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        try check()
        guard hasFactor(user) else { return false }
        put(hashes, user)
        acts.append(audit)
        return true
    }

    package func resetFactors(
        of user: UserID,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        try check()
        guard hasFactor(user) else { return nil }
        (totp[user], confirmedAt[user], attempts[user], codes[user]) = (nil, nil, nil, nil)
        keys.removeAll { $0.user == user }
        return changed(user, nil, notice, audit)
    }

    package func refuse(of user: UserID, notice: Notice?, audit: AuditDraft) async throws(StoreError) {
        try check()
        if let notice { notices.append((user, notice)) }
        acts.append(audit)
    }

    package func setFactorPolicy(
        _ team: TeamID,
        isRequired: Bool,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> FactorPolicyVerdict {
        try check()
        guard let role = roleOf(team, scope) else { return .unknown }
        guard role == .owner else { return .forbidden }
        if isRequired, case .user(let user) = scope, !hasFactor(user) { return .unenrolled }
        guard demanding.contains(team) != isRequired else { return .unchanged }
        if isRequired { demanding.insert(team) } else { demanding.remove(team) }
        acts.append(audit)
        return .done
    }

    package func holdsBack(_ user: UserID, from object: GuardedObject) async throws(StoreError) -> Bool {
        try check()
        guard let team = teamOf(object), roleOf(team, .user(user)) != nil else { return false }
        return demanding.contains(team) && !hasFactor(user)
    }

    package func passkeys(of user: UserID) async throws(StoreError) -> [Passkey] {
        try check()
        return keys.filter { $0.user == user }.sorted { $0.id < $1.id }
    }

    package func passkey(credentialID: [UInt8]) async throws(StoreError) -> Passkey? {
        try check()
        return keys.first { $0.credentialID == credentialID }
    }

    package func addPasskey(
        _ passkey: Passkey,
        answering challenge: AnsweredChallenge,
        recoveryHashes: [[UInt8]],
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> PasskeyAddition {
        try check()
        guard spent.insert(challenge.hash).inserted else { return .spent }
        guard keys.count(where: { $0.user == passkey.user }) < PasskeyLimits.perPerson else { return .full }
        guard !keys.contains(where: { $0.credentialID == passkey.credentialID }) else { return .taken }
        keys.append(passkey)
        let takesCodes = !codes[passkey.user, default: [:]].values.contains(false)
        if takesCodes { put(recoveryHashes, passkey.user) }
        return .added(tookCodes: takesCodes, ended: changed(passkey.user, kept, notice, audit))
    }

    package func usePasskey(
        _ id: PasskeyID,
        signCount: UInt32,
        isBackedUp: Bool,
        answering challenge: AnsweredChallenge,
        now: Timestamp
    ) async throws(StoreError) -> PasskeyUse {
        try check()
        guard spent.insert(challenge.hash).inserted else { return .spent }
        guard let index = keys.firstIndex(where: { $0.id == id }) else { return .unknown }
        guard keys[index].signCount < signCount || (keys[index].signCount, signCount) == (0, 0) else { return .counter }
        (keys[index].signCount, keys[index].isBackedUp, keys[index].lastUsedAt) = (signCount, isBackedUp, now)
        attempts[keys[index].user] = nil
        return .used
    }

    package func removePasskey(
        _ id: PasskeyID,
        of user: UserID,
        keeping kept: SignInID?,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        try check()
        guard let index = keys.firstIndex(where: { $0.id == id && $0.user == user }) else { return nil }
        keys.remove(at: index)
        if !hasFactor(user) { codes[user] = nil }
        return changed(user, kept, notice, audit)
    }

    private func check() throws(StoreError) {
        if let failure { throw failure }
    }

    private func hasFactor(_ user: UserID) -> Bool {
        totp[user]?.isConfirmed == true || keys.contains { $0.user == user }
    }

    private func put(_ hashes: [[UInt8]], _ user: UserID) {
        codes[user] = Dictionary(hashes.map { ($0, false) }) { first, _ in first }
    }

    /// Ends the person's other sign-ins, tells them and records it.
    private func changed(_ user: UserID, _ kept: SignInID?, _ notice: Notice, _ audit: AuditDraft) -> [SignInID] {
        notices.append((user, notice))
        acts.append(audit)
        let ended = signIns[user, default: []].filter { $0 != kept }.sorted()
        signIns[user]?.subtract(ended)
        return ended
    }
}
