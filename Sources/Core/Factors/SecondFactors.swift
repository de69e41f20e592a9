package import Bytes

/// What a person can prove besides the password.
package struct SecondFactors: Sendable, Equatable {
    /// Since when an authenticator application is confirmed.
    package var totpSince: Timestamp?
    package var passkeys: Int
    /// Recovery codes that were not used.
    package var recoveryCodes: Int

    /// Counts a person's factors.
    package init(totpSince: Timestamp?, passkeys: Int, recoveryCodes: Int) {
        self.totpSince = totpSince
        self.passkeys = passkeys
        self.recoveryCodes = recoveryCodes
    }

    /// Whether a password alone is not enough.
    package var isEnrolled: Bool { totpSince != nil || passkeys > 0 }
}

/// A secret shared with an authenticator application, as it is kept.
package struct TOTPFactor: Sendable, Equatable {
    package var secret: StoredSecret
    package var begunAt: Timestamp
    package var isConfirmed: Bool
    /// The step of the last code that was accepted.
    package var lastStep: Int64?

    /// Where the secret of a person belongs.
    package static func place(of user: UserID) -> SecretPlace {
        SecretPlace(table: "totp_factors", row: user, column: "secret")
    }

    /// Describes a factor.
    package init(secret: StoredSecret, begunAt: Timestamp, isConfirmed: Bool, lastStep: Int64?) {
        self.secret = secret
        self.begunAt = begunAt
        self.isConfirmed = isConfirmed
        self.lastStep = lastStep
    }
}

/// Whether a code may be judged now.
package enum CodeAttempt: Sendable, Equatable {
    /// It may, and counts as the wrong one of this number until it is accepted.
    case open(TOTPFactor, failures: Int)
    /// Too many were wrong: not before this time has passed.
    case heldUp(Duration)
    /// The person has no authenticator application.
    case none
}

/// What a team's demand for second factors became.
package enum FactorPolicyVerdict: String, Sendable, CaseIterable {
    case done
    /// It was so already.
    case unchanged
    /// The team is not there for the asker.
    case unknown
    /// Only an owner may.
    case forbidden
    /// The team is being deleted.
    case closing
    /// The owner has no second factor, and would be shut out.
    case unenrolled
}

/// An object that a team's demand may keep from a member.
package enum GuardedObject: Sendable, Equatable {
    case team(TeamID)
    case project(ProjectID)
    case job(JobID)
}
