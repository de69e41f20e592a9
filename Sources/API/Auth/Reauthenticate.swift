import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Proves again who sits at a signed-in device: `POST /v1/auth/reauthenticate`.
    func reauthenticate(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let password = try await request.jsonObject { $0.string("password", maximum: PasswordRules.maximumBytes) }
        _ = try await checkedCredentials(of: person, password ?? "", request)
        try await services.accounts.confirm(
            person.signIn,
            now: services.time.now,
            audit: request.auditDraft(
                .person(person),
                "sign_in.confirmed",
                team: nil,
                target: person.signIn.description,
                at: services.time.now
            )
        )
        return .noContent
    }

    /// Refuses a sign-in whose person has not proved for a while who they are: a device left open must not be enough.
    func demandFresh(_ person: Person) async throws {
        let signIn = try await services.accounts.signIn(person.signIn)
        guard let signIn, services.time.now < signIn.authenticatedAt.adding(FreshSignIn.lifetime) else {
            throw ProblemError(.reauthenticationRequired)
        }
    }
}

/// How long a proof of identity counts for what needs one.
enum FreshSignIn {
    /// Time to sign in and make the change, not to go to lunch.
    static let lifetime = Duration.seconds(600)
}
