import Auth
import Core
import HTTP

extension Endpoints {
    /// Begins to add a passkey: `POST /v1/me/passkeys/begin`; the answer is for `navigator.credentials.create`.
    func beginPasskey(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let party = try relyingParty()
        try await demandFresh(person)
        guard let user = try await services.accounts.user(person.user) else { throw ProblemError(.unauthenticated) }
        let present = try await services.passkeys.passkeys(of: user.id)
        guard present.count < PasskeyLimits.perPerson else {
            throw ProblemError(.tooManyPasskeys(PasskeyLimits.perPerson))
        }
        let step = StepToken(.passkeyRegistration, at: services.time.now, user: user.id, signIn: person.signIn)
        let challenge = try services.keys.sign(step)
        return PasskeyOptions.registration(party, challenge: challenge, user: user, present: present)
    }
}
