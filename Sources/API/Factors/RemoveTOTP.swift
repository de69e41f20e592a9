import Core
import HTTP

extension Endpoints {
    /// Takes the authenticator application away: `DELETE /v1/me/totp`; the person's other sign-ins end.
    func removeTOTP(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        try await demandFresh(person)
        let now = services.time.now
        let ended = try await services.factors.removeTOTP(
            person.user,
            keeping: person.signIn,
            notice: request.factorNotice(.factorDisabled, at: now, signIn: person.signIn),
            audit: factorDraft(person, "factor.disabled", method: "totp", at: now, request)
        )
        guard let ended else { throw ProblemError(.missing("totp")) }
        for signIn in ended { announce(.signIn(signIn)) }
        return .noContent
    }
}
