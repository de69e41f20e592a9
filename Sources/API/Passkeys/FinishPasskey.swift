import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Adds a passkey: `POST /v1/me/passkeys/finish`, with what the browser made; the person's other sign-ins end.
    ///
    /// Who had no recovery codes gets them now, and never again.
    func finishPasskey(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                name: fields.name("name", maximum: PasskeyLimits.nameBytes, required: false),
                credential: NewCredential(&fields)
            )
        }
        let party = try relyingParty()
        try await demandFresh(person)
        let (client, step, challenge) = try answered(form.credential.clientData, .passkeyRegistration)
        guard step.user == person.user, step.signIn == person.signIn else {
            throw ProblemError(.passkeyRefused("\(PasskeyError.wrongChallenge)"))
        }
        let passkey = try passkey(form.credential, named: form.name, of: person, client, party)
        let codes = RecoveryCode.makeAll()
        let added = try await services.passkeys.addPasskey(
            passkey,
            answering: challenge,
            recoveryHashes: codes.map { $0.hash(for: person.user) },
            keeping: person.signIn,
            notice: request.factorNotice(.factorEnabled, at: passkey.createdAt, signIn: person.signIn),
            audit: factorDraft(
                person,
                "factor.enabled",
                method: "passkey",
                target: passkey.id.description,
                at: passkey.createdAt,
                request
            )
        )
        switch added {
        case .added(let tookCodes, let ended):
            for signIn in ended { announce(.signIn(signIn)) }
            return PasskeyView.answer(passkey, recoveryCodes: tookCodes ? codes : [])
        case .spent: throw ProblemError(.passkeyRefused("the challenge was answered before"))
        case .full: throw ProblemError(.tooManyPasskeys(PasskeyLimits.perPerson))
        case .taken: throw ProblemError(.passkeyTaken)
        }
    }

    private func passkey(
        _ credential: NewCredential,
        named name: String?,
        of person: Person,
        _ client: ClientData,
        _ party: RelyingParty
    ) throws -> Passkey {
        do throws(PasskeyError) {
            let data = try party.register(
                client,
                attestationObject: credential.attestationObject,
                requiresVerification: false
            )
            guard let attested = data.attested, attested.id == credential.id else {
                throw PasskeyError.malformed("attested credential")
            }
            let now = services.time.now
            return Passkey(
                id: PasskeyID(at: now),
                user: person.user,
                credentialID: attested.id,
                publicKey: attested.key.encoded,
                name: name ?? "passkey",
                transports: credential.transports,
                signCount: data.signCount,
                isBackedUp: data.isBackedUp,
                createdAt: now
            )
        } catch {
            throw ProblemError(.passkeyRefused("\(error)"))
        }
    }
}
