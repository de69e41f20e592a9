import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Changes the person's password and ends their other sign-ins: `POST /v1/me/password`.
    func changePassword(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                current: fields.string("current_password", maximum: PasswordRules.maximumBytes),
                new: fields.string("new_password", maximum: PasswordRules.maximumBytes)
            )
        }
        let credentials = try await checkedCredentials(of: person, form.current ?? "", request)
        let hash = try await newHash(of: form.new ?? "", for: credentials.user, member: "new_password")
        let now = services.time.now
        let ended = try await services.passwords.changePassword(
            person.user,
            checked: credentials.passwordGeneration,
            new: hash,
            notice: Notice(
                .passwordChanged,
                at: now,
                signIn: person.signIn,
                address: request.remoteAddress,
                userAgent: request.shownUserAgent
            ),
            audit: request.auditDraft(
                .person(person),
                "password.changed",
                team: nil,
                target: person.user.description,
                at: now
            )
        )
        // Somebody else changed it while this request was hashing: what was checked is not the password any more.
        guard let ended else { throw ProblemError(.wrongPassword) }
        for signIn in ended { announce(.signIn(signIn)) }
        return .noContent
    }

    /// The credentials of a signed-in person, once the password proved to be theirs; tried as rarely as a sign-in.
    func checkedCredentials(
        of person: Person,
        _ password: String,
        _ request: HTTPRequest
    ) async throws -> UserCredentials {
        guard let user = try await services.accounts.user(person.user) else { throw ProblemError(.unauthenticated) }
        let attempt = try await beginProof(request, person, user)
        let credentials: UserCredentials?
        let isRight: Bool
        do {
            credentials = try await services.accounts.credentials(email: user.email)
            isRight = try await verify(password, credentials, attempt)
        } catch {
            try? await services.signInThrottle.end(attempt, .undecided)
            throw error
        }
        guard isRight, let credentials else {
            try await services.audit.record([
                request.auditDraft(
                    .person(person),
                    "sign_in.refused",
                    team: nil,
                    target: person.user.description,
                    outcome: .refused,
                    at: services.time.now,
                    details: [AuditDetail("operation", request.path)]
                )
            ])
            throw ProblemError(.wrongPassword)
        }
        try await services.signInThrottle.end(attempt, .right)
        return credentials
    }
}
