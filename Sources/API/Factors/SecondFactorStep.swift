import Auth
import Bytes
import Core
import HTTP

/// What still stands between somebody whose first proof held and their sign-in.
enum FactorDemand {
    /// Nothing: a sign-in may be opened with all that was proved.
    case met(ProvenPerson)
    /// A second factor, by one of the methods.
    case wanted(WantedFactor)
}

/// A sign-in that waits for its second step.
struct WantedFactor {
    /// What the second step begins with; it opens nothing by itself.
    let interimToken: String
    /// What the person may go on with.
    let methods: [FactorMethod]
}

/// What a person types as their second factor.
enum TypedFactor {
    /// A code of the authenticator application.
    case code(String)
    case recoveryCode(String)
}

extension Endpoints {
    /// Judges whether somebody whose first proof held may sign in; throws when the code that came with it is wrong.
    ///
    /// Every way to sign in asks this between its proof and `openSignIn`; a page asks here and shows the second step.
    func factorDemand(
        on person: ProvenPerson,
        otp: String?,
        device: String?,
        _ request: HTTPRequest
    ) async throws -> FactorDemand {
        // A passkey is something that one has and, verified, something that one knows or is.
        guard person.proof.first != .passkey, person.proof.second == nil else { return .met(person) }
        let factors = try await services.factors.factors(of: person.user.id)
        guard factors.isEnrolled else { return .met(person) }
        guard let otp, factors.totpSince != nil else {
            let step = StepToken(
                .secondFactor,
                at: services.time.now,
                user: person.user.id,
                proof: person.proof.first.rawValue,
                passwordGeneration: person.passwordGeneration,
                device: device
            )
            return .wanted(WantedFactor(interimToken: try services.keys.sign(step), methods: factors.methods))
        }
        try await takeCode(otp, of: person.user.id, by: .stranger, request)
        return .met(person.adding(.totp))
    }

    /// The same for a client that is answered with a problem when the second step is wanted.
    func demandSecondFactor(
        of person: ProvenPerson,
        otp: String?,
        device: String?,
        _ request: HTTPRequest
    ) async throws -> ProvenPerson {
        switch try await factorDemand(on: person, otp: otp, device: device, request) {
        case .met(let proven): return proven
        case .wanted(let wanted):
            throw ProblemError(
                .secondFactorRequired(
                    wanted.interimToken,
                    seconds: StepToken.lifetime.components.seconds,
                    methods: wanted.methods
                )
            )
        }
    }

    /// Takes the second step of a sign-in: who has proved both, and what the device is called.
    func takeSecondFactor(
        _ interimToken: String,
        _ typed: TypedFactor,
        _ request: HTTPRequest
    ) async throws -> (person: ProvenPerson, device: String?) {
        let (person, step) = try await interim(interimToken)
        let method: FactorMethod
        switch typed {
        case .code(let code):
            try await takeCode(code, of: person.user.id, by: .stranger, request)
            method = .totp
        case .recoveryCode(let code):
            try await takeRecoveryCode(code, of: person.user.id, by: .stranger, request)
            method = .recoveryCode
        }
        giveBackTry(request)
        return (person.adding(method), step.device)
    }

    /// Ends a sign-in that needs a second factor: `POST /v1/auth/second-factor`.
    func secondFactor(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            let form = (
                interim: fields.string("interim_token", maximum: JWS.maximumLength),
                otp: fields.string("otp", maximum: FactorBounds.typed, required: false),
                recovery: fields.string("recovery_code", maximum: FactorBounds.typed, required: false)
            )
            if (form.otp == nil) == (form.recovery == nil) {
                fields.fault("otp", "give either otp or recovery_code")
            }
            return form
        }
        let typed = form.otp.map { TypedFactor.code($0) } ?? .recoveryCode(form.recovery ?? "")
        let (person, device) = try await takeSecondFactor(form.interim ?? "", typed, request)
        return try await signedIn(person, device: device, request)
    }

    /// Opens a sign-in and answers with its tokens, among them the one by which the device is known from now on.
    func signedIn(_ person: ProvenPerson, device: String?, _ request: HTTPRequest) async throws -> HTTPResponse {
        let opened = try await openSignIn(person, device: device, request)
        return try tokenAnswer(
            for: opened.signIn,
            refreshToken: opened.refreshToken,
            deviceToken: deviceToken(for: person.user, request)
        )
    }

    /// Who has taken the first step by an interim token; it ends with the password that it was given for, and with the
    /// account.
    func interim(_ token: String) async throws -> (person: ProvenPerson, step: StepToken) {
        guard let step = try? services.keys.verify(step: token, .secondFactor, now: services.time.now),
            let first = step.proof.flatMap({ FirstProof(rawValue: $0) }), let id = step.user,
            let user = try await services.accounts.user(id), !user.isDisabled
        else { throw ProblemError(.interimRefused) }
        if let generation = step.passwordGeneration {
            let credentials = try await services.accounts.credentials(email: user.email)
            guard credentials?.passwordGeneration == generation else { throw ProblemError(.interimRefused) }
        }
        let proof = SignInProof(first: first)
        return (ProvenPerson(user: user, proof: proof, passwordGeneration: step.passwordGeneration), step)
    }
}

extension ProvenPerson {
    /// The same person with a second factor proved.
    func adding(_ method: FactorMethod) -> ProvenPerson {
        let both = SignInProof(first: proof.first, second: method)
        return ProvenPerson(user: user, proof: both, passwordGeneration: passwordGeneration)
    }
}

/// The bounds of what people type.
enum FactorBounds {
    /// Bytes of a code or a recovery code with all its spaces and dashes.
    static let typed = 64
}

extension SecondFactors {
    /// What a person may go on with after the first proof.
    fileprivate var methods: [FactorMethod] {
        var methods: [FactorMethod] = totpSince == nil ? [] : [.totp]
        if passkeys > 0 { methods.append(.passkey) }
        if recoveryCodes > 0 { methods.append(.recoveryCode) }
        return methods
    }
}
