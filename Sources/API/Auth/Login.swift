import Auth
import Bytes
import Core
import HTTP
import Platform

extension Endpoints {
    /// Signs a person in with address and password: `POST /v1/auth/login`.
    ///
    /// An unknown address, a wrong password and a disabled account get the same answer after the same work.
    func login(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                email: fields.string("email", maximum: EmailAddress.maximumLength),
                password: fields.string("password", maximum: PasswordRules.maximumBytes),
                device: fields.name("device_name", maximum: 100, required: false),
                // Accepted for clients that always send it; no account has a second factor yet.
                otp: fields.string("otp", maximum: 64, required: false)
            )
        }
        let email = EmailAddress.canonical(form.email ?? "")
        let granted = try await beginSignIn(request, as: email ?? form.email ?? "")
        let user: User?
        do {
            user = try await person(email, form.password ?? "")
        } catch {
            // A server that is too busy to look has learnt nothing.
            try? await endSignIn(granted, .undecided, request)
            throw error
        }
        guard let user else { throw ProblemError(.wrongCredentials) }
        try await endSignIn(granted, .right, request)
        return try await openSignIn(user, device: form.device, granted, request: request)
    }

    /// The person whose address and password these are, while the account is enabled.
    private func person(_ email: String?, _ password: String) async throws -> User? {
        var credentials: UserCredentials?
        if let email { credentials = try await services.accounts.credentials(email: email) }
        let isRight = try await verify(password, credentials)
        guard isRight, let user = credentials?.user, !user.isDisabled else { return nil }
        return user
    }

    private func verify(_ password: String, _ credentials: UserCredentials?) async throws -> Bool {
        let stored = credentials?.passwordHash ?? PasswordCheck.decoy
        do {
            let matches = try await services.passwordPool.run { try PasswordCheck.matches(password, stored) }
            return matches && credentials != nil
        } catch is PoolFull {
            throw ProblemError(.overloaded("Too many people are signing in at this moment."))
        }
    }

    private func openSignIn(
        _ user: User,
        device: String?,
        _ granted: GrantedSignIn,
        request: HTTPRequest
    ) async throws -> HTTPResponse {
        let now = services.time.now
        let id = SignInID(at: now)
        let signIn = SignIn(
            id: id,
            userID: user.id,
            deviceName: device ?? "unnamed",
            address: request.remoteAddress,
            userAgent: String((request.headers["user-agent"] ?? "").prefix(200)),
            createdAt: now,
            lastUsedAt: now,
            expiresAt: now.adding(RefreshToken.lifetime),
            revokedAt: nil
        )
        let refresh = RefreshToken.make()
        try await services.accounts.createSignIn(signIn, refreshHash: refresh.hash)
        return try tokenAnswer(for: signIn, refreshToken: refresh.token, deviceToken: deviceToken(of: granted))
    }

    /// The answer to a sign-in, which also gives the device its token, or to a refresh.
    func tokenAnswer(for signIn: SignIn, refreshToken: String, deviceToken: String? = nil) throws -> HTTPResponse {
        let now = services.time.now
        let token = try services.keys.sign(
            AccessClaims(
                issuer: services.settings.publicURL,
                audience: services.settings.publicURL,
                subject: signIn.userID,
                signIn: signIn.id,
                tokenID: RequestID(at: now).description,
                issuedAt: now,
                expiresAt: now.adding(AccessTokenTimes.lifetime),
                scopes: ["all"],
                clientID: "errand"
            )
        )
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.member("access_token", token)
                writer.member("expires_in", AccessTokenTimes.lifetime.components.seconds)
                writer.member("refresh_token", refreshToken)
                writer.member("token_type", "Bearer")
                if let deviceToken { writer.member("device_token", deviceToken) }
                writer.endObject()
            }
        )
    }
}
