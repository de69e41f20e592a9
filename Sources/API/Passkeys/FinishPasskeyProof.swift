import Auth
import Core
import HTTP

extension Endpoints {
    /// Ends a proof by passkey: `POST /v1/auth/passkey/finish`, with what the browser made.
    ///
    /// With an access token it is a step-up, else a sign-in.
    func finishPasskeyProof(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                device: fields.name("device_name", maximum: 100, required: false),
                credential: UsedCredential(&fields)
            )
        }
        guard request.headers.contains("authorization") else {
            let (person, device) = try await takePasskey(form.credential, request)
            return try await signedIn(person, device: form.device ?? device, request)
        }
        let person = try await authenticatePerson(request)
        try await takePasskey(form.credential, of: person, request)
        return try await confirm(person, by: FactorMethod.passkey.rawValue, request)
    }

    /// Who signs in by a passkey, alone or on top of a first proof, and what the device is called.
    func takePasskey(
        _ credential: UsedCredential,
        _ request: HTTPRequest
    ) async throws -> (person: ProvenPerson, device: String?) {
        let (client, step, challenge) = try answered(credential.clientData, .passkeySignIn)
        // Without a proof before it the passkey has to be both factors.
        let first = step.proof.flatMap { FirstProof(rawValue: $0) }
        // Read before the passkey is used: one that is taken away from now on opens nothing.
        let generation = first == nil ? try await generation(behind: credential.id) : step.passwordGeneration
        let passkey = try await use(credential, client, challenge, isAlone: first == nil, request)
        guard step.user == nil || step.user == passkey.user,
            let user = try await services.accounts.user(passkey.user), !user.isDisabled
        else { throw ProblemError(.passkeyRefused("\(PasskeyError.wrongChallenge)")) }
        let proof = first.map { SignInProof(first: $0, second: .passkey) } ?? SignInProof(first: .passkey)
        return (ProvenPerson(user: user, proof: proof, passwordGeneration: generation), step.device)
    }

    /// The generation of whoever owns a passkey; nil when it is not known here, which its use refuses.
    private func generation(behind credentialID: [UInt8]) async throws -> Int? {
        guard let passkey = try await services.passkeys.passkey(credentialID: credentialID),
            let user = try await services.accounts.user(passkey.user)
        else { return nil }
        return try await services.accounts.credentials(email: user.email)?.passwordGeneration
    }

    /// Demands that a signed-in person has used one of their passkeys for the challenge of this sign-in.
    func takePasskey(_ credential: UsedCredential, of person: Person, _ request: HTTPRequest) async throws {
        let (client, step, challenge) = try answered(credential.clientData, .passkeyStepUp)
        guard step.user == person.user, step.signIn == person.signIn else {
            throw ProblemError(.passkeyRefused("\(PasskeyError.wrongChallenge)"))
        }
        let passkey = try await use(credential, client, challenge, isAlone: false, request)
        guard passkey.user == person.user else {
            throw ProblemError(.passkeyRefused("\(PasskeyError.wrongChallenge)"))
        }
    }

    /// The passkey that made an assertion, once that holds and was counted.
    private func use(
        _ credential: UsedCredential,
        _ client: ClientData,
        _ challenge: AnsweredChallenge,
        isAlone: Bool,
        _ request: HTTPRequest
    ) async throws -> Passkey {
        let party = try relyingParty()
        guard let passkey = try await services.passkeys.passkey(credentialID: credential.id) else {
            throw ProblemError(.passkeyRefused("it is not known here"))
        }
        let data: AuthenticatorData
        do throws(PasskeyError) {
            guard credential.userHandle == nil || credential.userHandle == passkey.user.uuidBytes else {
                throw .malformed("user handle")
            }
            data = try party.assert(
                client,
                authenticatorData: credential.authenticatorData,
                signature: credential.signature,
                key: try COSEKey(encoded: passkey.publicKey),
                requiresVerification: isAlone
            )
        } catch {
            try await refusePasskey(passkey, "\(error)", request)
        }
        let use = try await services.passkeys.usePasskey(
            passkey.id,
            signCount: data.signCount,
            isBackedUp: data.isBackedUp,
            answering: challenge,
            now: services.time.now
        )
        switch use {
        case .used:
            giveBackTry(request)
            return passkey
        case .spent: try await refusePasskey(passkey, "the challenge was answered before", request)
        case .counter: try await refusePasskey(passkey, "its counter did not grow: there may be a copy of it", request)
        case .unknown: throw ProblemError(.passkeyRefused("it is not known here"))
        }
    }

    /// Records an assertion that did not hold, and refuses it.
    private func refusePasskey(_ passkey: Passkey, _ reason: String, _ request: HTTPRequest) async throws -> Never {
        try await refuseFactor("passkey", of: passkey.user, by: .stranger, reason: reason, request)
        throw ProblemError(.passkeyRefused(reason))
    }
}
