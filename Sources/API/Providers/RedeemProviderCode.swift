import Auth
import Bytes
import Core
import HTTP

/// A code that was redeemed, with whom it proves.
struct RedeemedProviderCode {
    let person: ProvenPerson
    fileprivate let hash: [UInt8]
}

extension Endpoints {
    /// Changes a one-use code into tokens: `POST /v1/auth/oidc/token`.
    func redeemProviderCode(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                code: ProviderCodeForm(&fields),
                device: fields.name("device_name", maximum: 100, required: false)
            )
        }
        let redeemed = try await redeem(form.code, request)
        let proven = try await demandSecondFactor(of: redeemed.person, otp: nil, device: form.device, request)
        let opened = try await openSignIn(proven, device: form.device, request)
        try await note(opened, by: redeemed, request)
        return try tokenAnswer(for: opened.signIn, refreshToken: opened.refreshToken)
    }

    /// Uses a code up, and says whom it proves; for every way in that ends with a provider's code.
    ///
    /// Whoever opens a sign-in by it has to tell by `note` which it is.
    func redeem(_ form: ProviderCodeForm, _ request: HTTPRequest) async throws -> RedeemedProviderCode {
        let (grant, hash) = try await grant(form, request)
        guard case .signIn(let authenticatedAt) = grant.purpose,
            let user = try await services.accounts.user(grant.user), !user.isDisabled
        else { throw ProblemError(.codeRefused) }
        try await use(hash, request)
        var person = ProvenPerson(user: user, proof: .oidc, passwordGeneration: nil)
        // A provider that does not say when may have asked long ago: the sign-in counts, as a fresh proof it does not.
        let stale = services.time.now.adding(.zero - FreshSignIn.lifetime)
        person.authenticatedAt = min(authenticatedAt ?? stale, services.time.now)
        return RedeemedProviderCode(person: person, hash: hash)
    }

    /// Notes the sign-in that a code has opened; ends it when somebody else has presented the code meanwhile.
    func note(_ opened: OpenedSignIn, by code: RedeemedProviderCode, _ request: HTTPRequest) async throws {
        guard try await !services.identities.bind(codeHash: code.hash, to: opened.signIn.id) else { return }
        try await endReused(opened.signIn.id, request)
        throw ProblemError(.codeRefused)
    }

    /// What a code stands for, once it is shown by whoever asked for it, in its time.
    ///
    /// A code that was used ends what it has opened: one of the two who have it should not.
    func grant(
        _ form: ProviderCodeForm,
        _ request: HTTPRequest
    ) async throws -> (grant: ProviderGrant, hash: [UInt8]) {
        guard let hash = form.code.flatMap({ ProviderCode.parse($0) })?.hash,
            let grant = try await services.identities.grant(codeHash: hash)
        else { throw ProblemError(.codeRefused) }
        guard grant.usedAt == nil else {
            try await refuseReuse(hash, request)
            throw ProblemError(.codeRefused)
        }
        guard services.time.now < grant.expiresAt, PKCE.answers(form.verifier ?? "", grant.challenge),
            form.redirect == grant.redirect
        else { throw ProblemError(.codeRefused) }
        return (grant, hash)
    }

    /// Uses a code up, which one request alone can do.
    func use(_ hash: [UInt8], _ request: HTTPRequest) async throws {
        guard try await services.identities.redeem(codeHash: hash, now: services.time.now) else {
            try await refuseReuse(hash, request)
            throw ProblemError(.codeRefused)
        }
    }

    private func refuseReuse(_ hash: [UInt8], _ request: HTTPRequest) async throws {
        guard let opened = try await services.identities.noteReuse(codeHash: hash) else { return }
        try await endReused(opened, request)
    }

    private func endReused(_ signIn: SignInID, _ request: HTTPRequest) async throws {
        try await services.accounts.revoke(
            signIn,
            now: services.time.now,
            audit: request.auditDraft(
                by: .stranger,
                "token.reuse_detected",
                team: nil,
                target: signIn.description,
                outcome: .refused,
                at: services.time.now,
                details: [AuditDetail("kind", "provider code")]
            )
        )
        announce(.signIn(signIn))
    }
}

/// A code as a client presents it, with what proves that it is the client's own.
struct ProviderCodeForm {
    let code: String?
    let verifier: String?
    let redirect: String?

    /// Names what a page of this server's own has.
    init(code: String, verifier: String, redirect: String) {
        (self.code, self.verifier, self.redirect) = (code, verifier, redirect)
    }

    /// Reads the fields; that a verifier has another form than any is not told apart from a wrong one.
    init(_ fields: inout FieldReader) {
        code = fields.string("code", maximum: 256)
        verifier = fields.string("code_verifier", maximum: 256)
        redirect = fields.string("redirect_uri", maximum: ProviderRedirect.longest)
    }
}
