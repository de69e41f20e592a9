import Bytes
import HTTP

/// The problems of second factors and passkeys.
extension Problem {
    /// The first proof was right; the note in it leads on to the second step.
    static func secondFactorRequired(_ interim: String, seconds: Int64, methods: [FactorMethod]) -> Problem {
        var problem = Problem(
            status: 401,
            code: "second_factor_required",
            title: "A second factor is needed",
            detail:
                "Send `interim_token` with `otp` or `recovery_code` to POST /v1/auth/second-factor, or use a passkey."
        )
        problem.members = JSONObject([
            ("interim_token", .string(interim)), ("expires_in", .integer(seconds)),
            ("methods", .array(methods.map { .string($0.rawValue) })),
        ])
        return problem
    }
    static let interimRefused = Problem(
        status: 401,
        code: "interim_token_refused",
        title: "The interim token is not valid any more",
        detail: "It lives for five minutes and ends with the password that it was given for: sign in anew."
    )
    static let wrongCode = Problem(
        status: 401,
        code: "wrong_code",
        title: "The code is wrong or was used before",
        detail: "Each code works once. Wait for the next one, and see that the device's clock is right."
    )
    static let codeRequired = Problem(
        status: 403,
        code: "code_required",
        title: "This account proves itself by its second factor",
        detail: "Send `otp` in place of `password`, or use a passkey: POST /v1/auth/passkey/begin."
    )
    static let wrongRecoveryCode = Problem(
        status: 401,
        code: "wrong_recovery_code",
        title: "The recovery code is wrong or was used before"
    )
    static func codesHeldUp(_ seconds: Int) -> Problem {
        Problem(
            status: 429,
            code: "codes_held_up",
            title: "Too many wrong codes",
            detail:
                "Codes of this account are not looked at until the time in Retry-After has passed; recovery codes and "
                + "passkeys are.",
            retryAfter: max(1, seconds)
        )
    }
    static let factorEnabled = Problem(
        status: 409,
        code: "totp_enabled",
        title: "An authenticator application is set up already",
        detail: "Remove it with DELETE /v1/me/totp first."
    )
    static let factorNotBegun = Problem(
        status: 409,
        code: "totp_not_begun",
        title: "There is no authenticator application to confirm",
        detail: "Begin with POST /v1/me/totp, and confirm within fifteen minutes."
    )
    static let noFactor = Problem(
        status: 409,
        code: "no_second_factor",
        title: "There is no second factor",
        detail: "Set one up with POST /v1/me/totp or POST /v1/me/passkeys/begin."
    )
    static let secondFactorNeeded = Problem(
        status: 403,
        code: "second_factor_needed",
        title: "This team demands a second factor of its members",
        detail:
            "Set one up with POST /v1/me/totp or POST /v1/me/passkeys/begin (`errand account totp enable`), then try "
            + "again."
    )
    static let factorPolicyUnenrolled = Problem(
        status: 409,
        code: "owner_without_factor",
        title: "You have no second factor yourself",
        detail: "Set one up first: you would be shut out of the team."
    )
    static let noPasskey = Problem(
        status: 409,
        code: "no_passkey",
        title: "This account has no passkey",
        detail: "Use another method, or add one with POST /v1/me/passkeys/begin."
    )
    static let passkeysUnavailable = Problem(
        status: 409,
        code: "passkeys_unavailable",
        title: "Passkeys cannot be used at this address",
        detail: "They are bound to a host name; the server's ERRAND_PUBLIC_URL names a network address."
    )
    static func passkeyRefused(_ reason: String) -> Problem {
        Problem(status: 401, code: "passkey_refused", title: "The passkey was not accepted", detail: reason)
    }
    static let passkeyTaken = Problem(
        status: 409,
        code: "passkey_taken",
        title: "This passkey belongs to an account already"
    )
    static func tooManyPasskeys(_ limit: Int) -> Problem {
        Problem(
            status: 409,
            code: "too_many_passkeys",
            title: "There is no room for another passkey",
            detail: "An account may have \(limit); remove one first."
        )
    }
}

/// What may be proved on top of the first proof.
enum FactorMethod: String {
    case totp
    case recoveryCode = "recovery_code"
    case passkey
}
