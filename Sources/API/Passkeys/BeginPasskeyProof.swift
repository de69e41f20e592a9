import Auth
import Core
import HTTP

extension Endpoints {
    /// Begins a proof by passkey: `POST /v1/auth/passkey/begin`; the answer is for `navigator.credentials.get`.
    ///
    /// With an access token it is a step-up, with an interim token the second step of a sign-in, without either a whole
    /// sign-in: then the authenticator must verify the person, and nothing tells whose account it will be.
    func beginPasskeyProof(_ request: HTTPRequest) async throws -> HTTPResponse {
        let interimToken = try await request.jsonObject {
            $0.string("interim_token", maximum: JWS.maximumLength, required: false)
        }
        guard request.headers.contains("authorization") else { return try await passkeySignIn(interimToken) }
        let person = try await authenticatePerson(request)
        let step = StepToken(.passkeyStepUp, at: services.time.now, user: person.user, signIn: person.signIn)
        return try await options(step, of: person.user, try relyingParty())
    }

    /// What a browser is asked with to sign in, as the second step that an interim token stands for or alone.
    func passkeySignIn(_ interimToken: String?) async throws -> HTTPResponse {
        let party = try relyingParty()
        let now = services.time.now
        guard let interimToken else {
            let challenge = try services.keys.sign(StepToken(.passkeySignIn, at: now))
            return PasskeyOptions.assertion(party, challenge: challenge, of: [], requiresVerification: true)
        }
        let (person, interim) = try await interim(interimToken)
        let step = StepToken(
            .passkeySignIn,
            at: now,
            user: person.user.id,
            proof: interim.proof,
            passwordGeneration: interim.passwordGeneration,
            device: interim.device
        )
        return try await options(step, of: person.user.id, party)
    }

    private func options(_ step: StepToken, of user: UserID, _ party: RelyingParty) async throws -> HTTPResponse {
        let passkeys = try await services.passkeys.passkeys(of: user)
        guard !passkeys.isEmpty else { throw ProblemError(.noPasskey) }
        let challenge = try services.keys.sign(step)
        return PasskeyOptions.assertion(party, challenge: challenge, of: passkeys, requiresVerification: false)
    }
}
