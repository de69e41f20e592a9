import Auth
import Bytes
import Core
import Crypto
import HTTP

/// A try to sign in that may be judged: it is counted as a failure until it ends otherwise.
struct GrantedSignIn {
    let attempt: SignInTry
    /// What the device is known by from now on, when it succeeds.
    let device: KnownDevice
}

extension Endpoints {
    /// Counts a try before its secret is judged, or refuses it with the time to wait, which costs no hash.
    ///
    /// Known and unknown accounts are counted alike. A device that shows where it was signed in from before is counted by
    /// itself, so that no stranger, not even one at the same address, can make it wait.
    func beginSignIn(_ request: HTTPRequest, as address: String) async throws -> GrantedSignIn {
        let account = Self.countedAccount(address)
        let shown = request.meter?.device
        // A device of another account is a stranger to this one, and pays as one.
        if let shown, shown.account != account { try await admitUnknownDevice(request) }
        let known = shown.flatMap { $0.account == account ? $0 : nil }
        let attempt = SignInTry(
            account: account,
            place: known?.device ?? AddressBlock(request.remoteAddress).bytes,
            isKnownDevice: known != nil,
            begunAt: services.time.now
        )
        try await admit(attempt, request)
        return GrantedSignIn(attempt: attempt, device: known ?? .make(account: account))
    }

    /// Counts a try of their own password by a person who is signed in.
    ///
    /// The device is counted by itself: a stolen token guesses no faster than a stranger, and makes nobody else wait.
    func beginProof(_ request: HTTPRequest, _ person: Person, _ user: User) async throws -> SignInTry {
        let attempt = SignInTry(
            account: Self.countedAccount(user.email),
            place: person.signIn.uuidBytes,
            isKnownDevice: true,
            begunAt: services.time.now
        )
        try await admit(attempt, request)
        return attempt
    }

    /// What an account is counted as, whether there is one of this address or not.
    private static func countedAccount(_ address: String) -> [UInt8] {
        Digest.sha256(Array("errand sign-in \(address.lowercased())".utf8))
    }

    /// Counts a try in advance, or refuses it with the time to wait.
    func admit(_ attempt: SignInTry, _ request: HTTPRequest) async throws {
        switch try await services.signInThrottle.begin(attempt) {
        case .granted: return
        case .wait(let end, let isFirst):
            let wait = (end - attempt.begunAt).wholeMilliseconds
            let seconds = max(1, (wait + 999) / 1_000)
            if isFirst { await recordRefusal(request, seconds) }
            throw ProblemError(.signInThrottled(seconds))
        }
    }

    /// Takes back what a try was counted: it was right, or nobody judged it.
    func endSignIn(_ granted: GrantedSignIn, _ end: SignInEnd, _ request: HTTPRequest) async throws {
        try await services.signInThrottle.end(granted.attempt, end)
        // A busy server is not asked more often for being busy.
        if end == .right { giveBackTry(request) }
    }

    /// What a device shows when it signs in again, whatever proved its person.
    func deviceToken(for user: User, _ request: HTTPRequest) -> String {
        let account = Self.countedAccount(user.email)
        let known = request.meter?.device.flatMap { $0.account == account ? $0 : nil }
        return services.deviceTokens.make(known ?? .make(account: account), now: services.time.now)
    }

    /// Records that a back-off has begun to refuse: once for each, so that a flood does not fill the log, and without the
    /// address that was typed, which may be anything.
    private func recordRefusal(_ request: HTTPRequest, _ seconds: Int) async {
        let draft = request.auditDraft(
            nil,
            "sign_in.refused",
            team: nil,
            outcome: .refused,
            at: services.time.now,
            details: [AuditDetail("reason", "back_off"), AuditDetail("seconds", "\(seconds)")]
        )
        // A log that cannot be reached does not turn a refusal into anything else.
        try? await services.audit.record([draft])
    }
}

extension SignInTry {
    /// Whose share of the hashing it takes: the account's for all its devices together, or a stranger's own, who takes
    /// nothing from the account that is tried.
    var payer: [UInt8] { isKnownDevice ? account : account + place }
}

extension Problem {
    /// Too many secrets were wrong; the same for an account that is and for one that is not.
    static func signInThrottled(_ seconds: Int) -> Problem {
        var problem = Problem(
            status: 429,
            code: "sign_in_throttled",
            title: "Too many failed sign-ins",
            detail:
                "Try again after the time in Retry-After. A device that signed in before sends its device token and does not wait.",
            retryAfter: seconds
        )
        problem.type = ProblemType.abnormalUsageDetected
        return problem
    }
}
