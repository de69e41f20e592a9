import Auth
import Bytes
import Core
import Crypto
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
        var credentials: UserCredentials?
        let isRight: Bool
        do {
            if let email { credentials = try await services.accounts.credentials(email: email) }
            isRight = try await verify(form.password ?? "", credentials)
        } catch {
            // A server that is too busy to look has learnt nothing.
            try? await endSignIn(granted, .undecided, request)
            throw error
        }
        guard isRight, let credentials, !credentials.user.isDisabled else {
            try await services.audit.record([refusedSignIn(request, credentials?.user)])
            throw ProblemError(.wrongCredentials)
        }
        try await endSignIn(granted, .right, request)
        strengthen(credentials, form.password ?? "")
        return try await openSignIn(credentials, device: form.device, granted, request: request)
    }

    /// Whether a password is the account's; for no account the same work is done for nothing.
    func verify(_ password: String, _ credentials: UserCredentials?) async throws -> Bool {
        let stored = credentials?.passwordHash ?? PasswordCheck.decoy
        do {
            let matches = try await services.passwordPool.run { try PasswordCheck.admits(password, stored) }
            return matches && credentials != nil
        } catch is PoolFull {
            throw ProblemError(.overloaded("Too many people are signing in at this moment."))
        } catch let error as CryptoError where error.reason == .outOfMemory {
            throw ProblemError(.overloaded("The server is short of memory."))
        }
    }

    /// Hashes a password anew that was stored at a lower cost than today's, behind the answer's back.
    private func strengthen(_ credentials: UserCredentials, _ password: String) {
        guard PasswordCheck.needsRehash(credentials.passwordHash) else { return }
        let services = services
        services.loop.spawnLocal {
            // A pool that is full now, or a store that is away, leaves it to the next sign-in.
            let hash = try? await services.passwordPool.run { try PasswordCheck.hash(password) }
            guard let hash else { return }
            try? await services.passwords.rehash(credentials.user.id, checked: credentials.passwordHash, new: hash)
        }
    }

    /// What is recorded of a refused sign-in: the account when there is one, and never what was typed.
    private func refusedSignIn(_ request: HTTPRequest, _ user: User?) -> AuditDraft {
        request.auditDraft(
            by: .stranger,
            "sign_in.refused",
            team: nil,
            target: user?.id.description,
            outcome: .refused,
            at: services.time.now,
            details: [
                AuditDetail("reason", user == nil ? "unknown" : user?.isDisabled == true ? "disabled" : "password")
            ]
        )
    }

    private func openSignIn(
        _ credentials: UserCredentials,
        device: String?,
        _ granted: GrantedSignIn,
        request: HTTPRequest
    ) async throws -> HTTPResponse {
        let user = credentials.user
        let now = services.time.now
        let id = SignInID(at: now)
        let signIn = SignIn(
            id: id,
            userID: user.id,
            deviceName: device ?? "unnamed",
            address: request.remoteAddress,
            userAgent: request.shownUserAgent,
            createdAt: now,
            lastUsedAt: now,
            expiresAt: now.adding(RefreshToken.lifetime),
            revokedAt: nil
        )
        let traits = request.signInTraits
        let known = try await services.accounts.traits(of: user.id)
        // Nothing is known of who signs in for the first time: then nothing is new either.
        let news = known.isEmpty ? [] : traits.subtracting(known).sorted { $0.kind.rawValue < $1.kind.rawValue }
        let actor = AuditActor.user(user.id, device: id)
        var drafts = [
            request.auditDraft(
                by: actor,
                "sign_in.opened",
                team: nil,
                target: id.description,
                at: now,
                details: [AuditDetail("factor", "password"), AuditDetail("device", signIn.deviceName)]
            )
        ]
        if !news.isEmpty {
            drafts.append(
                request.auditDraft(
                    by: actor,
                    "sign_in.new_device",
                    team: nil,
                    target: id.description,
                    at: now,
                    details: news.map { AuditDetail($0.kind.rawValue, $0.value) }
                )
            )
        }
        let notice = Notice(
            .newDevice,
            at: now,
            signIn: id,
            deviceName: signIn.deviceName,
            address: signIn.address,
            userAgent: signIn.userAgent
        )
        let refresh = RefreshToken.make()
        do throws(StoreError) {
            try await services.accounts.createSignIn(
                signIn,
                refreshHash: refresh.hash,
                passwordGeneration: credentials.passwordGeneration,
                traits: traits,
                notice: news.isEmpty ? nil : notice,
                audit: drafts
            )
        } catch {
            // The password was changed, or the account disabled, while this one was checked.
            if error == .notFound { throw ProblemError(.wrongCredentials) }
            throw error
        }
        return try tokenAnswer(for: signIn, refreshToken: refresh.token, deviceToken: deviceToken(of: granted))
    }

    /// The answer to a sign-in, which also gives the device its token, or to a refresh.
    func tokenAnswer(for signIn: SignIn, refreshToken: String, deviceToken: String? = nil) throws -> HTTPResponse {
        let now = services.time.now
        // The sign-in's end is the end of its tokens too.
        let life = min(AccessTokenTimes.lifetime, signIn.expiresAt - now)
        let token = try services.keys.sign(
            AccessClaims(
                issuer: services.settings.publicURL,
                audience: services.settings.publicURL,
                subject: signIn.userID,
                signIn: signIn.id,
                tokenID: RequestID(at: now).description,
                issuedAt: now,
                expiresAt: now.adding(life),
                scopes: [SignInScopes.all],
                clientID: signIn.clientID
            )
        )
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.member("access_token", token)
                writer.member("expires_in", life.components.seconds)
                writer.member("refresh_token", refreshToken)
                writer.member("token_type", "Bearer")
                if let deviceToken { writer.member("device_token", deviceToken) }
                writer.endObject()
            }
        )
    }
}

/// What a person's own tokens may be used for.
enum SignInScopes {
    /// Everything that the person may do.
    static let all = "all"
}
