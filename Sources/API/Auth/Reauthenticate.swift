import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Proves again who sits at a signed-in device: `POST /v1/auth/reauthenticate`, with the password or a code.
    ///
    /// Whoever has a second factor proves with it: a thief of the token and the password must not take it away.
    func reauthenticate(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            let form = (
                password: fields.string("password", maximum: PasswordRules.maximumBytes, required: false),
                otp: fields.string("otp", maximum: FactorBounds.typed, required: false)
            )
            if (form.password == nil) == (form.otp == nil) {
                fields.fault("password", "give either password or otp")
            }
            return form
        }
        if let otp = form.otp {
            try await takeCode(otp, of: person.user, by: Principal.person(person).auditActor, request)
        } else {
            guard try await !services.factors.factors(of: person.user).isEnrolled else {
                throw ProblemError(.codeRequired)
            }
            _ = try await checkedCredentials(of: person, form.password ?? "", request)
        }
        return try await confirm(person, by: form.otp == nil ? "password" : FactorMethod.totp.rawValue, request)
    }

    /// Notes that a person has just proved who they are.
    func confirm(_ person: Person, by method: String, _ request: HTTPRequest) async throws -> HTTPResponse {
        let now = services.time.now
        try await services.accounts.confirm(
            person.signIn,
            now: now,
            audit: request.auditDraft(
                .person(person),
                "sign_in.confirmed",
                team: nil,
                target: person.signIn.description,
                at: now,
                details: [AuditDetail("factor", method)]
            )
        )
        return .noContent
    }

    /// Refuses a sign-in whose person has not proved for a while who they are: a device left open must not be enough.
    func demandFresh(_ person: Person) async throws {
        // What such an act makes outlives the sign-in: one that has just ended must not pass as it may elsewhere.
        guard let signIn = try await services.accounts.signIn(person.signIn), signIn.revokedAt == nil else {
            throw ProblemError(.unauthenticated)
        }
        guard services.time.now < signIn.authenticatedAt.adding(FreshSignIn.lifetime) else {
            throw ProblemError(.reauthenticationRequired)
        }
    }
}

/// How long a proof of identity counts for what needs one.
enum FreshSignIn {
    /// Time to sign in and make the change, not to go to lunch.
    static let lifetime = Duration.seconds(600)
}
