import Core
import HTTP

extension Endpoints {
    /// Takes a passkey away: `DELETE /v1/me/passkeys/{id}`; the person's other sign-ins end.
    func removePasskey(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let id = try request.pathID("id", PasskeyNoun.self, noun: "passkey")
        try await demandFresh(person)
        let now = services.time.now
        let ended = try await services.passkeys.removePasskey(
            id,
            of: person.user,
            keeping: person.signIn,
            notice: request.factorNotice(.factorDisabled, at: now, signIn: person.signIn),
            audit: factorDraft(
                person,
                "factor.disabled",
                method: "passkey",
                target: id.description,
                at: now,
                request
            )
        )
        guard let ended else { throw ProblemError(.missing("passkey")) }
        for signIn in ended { announce(.signIn(signIn)) }
        return .noContent
    }
}
