import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Takes a code of the person's authenticator application; throws unless it is right and was not used.
    func takeCode(_ typed: String, of user: UserID, by actor: AuditActor, _ request: HTTPRequest) async throws {
        let now = services.time.now
        switch try await services.factors.attemptCode(of: user, now: now) {
        case .none:
            try await refuseFactor("totp", of: user, by: actor, request)
            throw ProblemError(.wrongCode)
        case .heldUp(let wait):
            throw ProblemError(.codesHeldUp(Int(wait.wholeSecondsUp)))
        case .open(let factor, let failures):
            if factor.isConfirmed, let step = try await step(of: typed, factor, at: now),
                try await services.factors.acceptCode(of: user, step: step)
            {
                return
            }
            try await refuseFactor("totp", of: user, by: actor, failures: failures, request)
            throw ProblemError(.wrongCode)
        }
    }

    /// The step of a code that is right and of no step that was accepted before; nil for every other.
    func step(of typed: String, _ factor: TOTPFactor, at now: Timestamp) async throws -> Int64? {
        let secret = try await services.vault.open(factor.secret).reveal()
        guard case .accepted(let step) = TOTP.standard.judge(typed, secret: secret, at: now, after: factor.lastStep)
        else { return nil }
        return step
    }

    /// Takes a recovery code, which works once; throws unless it is one of the person's.
    func takeRecoveryCode(_ typed: String, of user: UserID, by actor: AuditActor, _ request: HTTPRequest) async throws {
        let code = RecoveryCode(typed: typed)
        let left = try await code?.use(services.factors, user, request, actor, services.time.now)
        guard left != nil else {
            try await refuseFactor("recovery_code", of: user, by: actor, request)
            throw ProblemError(.wrongRecoveryCode)
        }
    }

    /// Records a proof that did not hold, and tells the person the first time that it looks like guessing.
    func refuseFactor(
        _ method: String,
        of user: UserID,
        by actor: AuditActor,
        failures: Int? = nil,
        reason: String? = nil,
        _ request: HTTPRequest
    ) async throws {
        let now = services.time.now
        var details = [AuditDetail("method", method)]
        if let failures { details.append(AuditDetail("failures", "\(failures)")) }
        if let reason { details.append(AuditDetail("reason", reason)) }
        // Whoever types codes knows the password already.
        let isTold = failures == FactorBackoff.free
        try await services.factors.refuse(
            of: user,
            notice: isTold ? request.factorNotice(.factorRefused, at: now) : nil,
            audit: request.auditDraft(
                by: actor,
                "factor.refused",
                team: nil,
                target: user.description,
                outcome: .refused,
                at: now,
                details: details
            )
        )
    }
}

extension RecoveryCode {
    fileprivate func use(
        _ factors: any FactorStore,
        _ user: UserID,
        _ request: HTTPRequest,
        _ actor: AuditActor,
        _ now: Timestamp
    ) async throws(StoreError) -> Int? {
        try await factors.useRecoveryCode(
            of: user,
            hash: hash(for: user),
            notice: request.factorNotice(.recoveryUsed, at: now),
            audit: request.auditDraft(by: actor, "recovery.used", team: nil, target: user.description, at: now)
        )
    }
}

extension HTTPRequest {
    /// What a person is told of a change in what they can prove.
    func factorNotice(_ kind: Notice.Kind, at now: Timestamp, signIn: SignInID? = nil) -> Notice {
        Notice(kind, at: now, signIn: signIn, address: remoteAddress, userAgent: shownUserAgent)
    }
}

extension Duration {
    /// Whole seconds, rounded up, as Retry-After has them.
    fileprivate var wholeSecondsUp: Int64 { components.seconds + (components.attoseconds > 0 ? 1 : 0) }
}
