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
                otp: fields.string("otp", maximum: FactorBounds.typed, required: false)
            )
        }
        let person = try await provePassword(form.email ?? "", form.password ?? "", request)
        let proven = try await demandSecondFactor(of: person, otp: form.otp, device: form.device, request)
        return try await signedIn(proven, device: form.device, request)
    }

    /// Who an address and a password prove to be, for every way to sign in by them; a second factor is asked for next.
    func provePassword(_ typed: String, _ password: String, _ request: HTTPRequest) async throws -> ProvenPerson {
        let email = EmailAddress.canonical(typed)
        let granted = try await beginSignIn(request, as: email ?? typed)
        var credentials: UserCredentials?
        let isRight: Bool
        do {
            if let email { credentials = try await services.accounts.credentials(email: email) }
            isRight = try await verify(password, credentials, granted.attempt)
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
        strengthen(credentials, password)
        return ProvenPerson(
            user: credentials.user,
            proof: .password,
            passwordGeneration: credentials.passwordGeneration
        )
    }

    /// Whether a password is the account's; for no account the same work is done for nothing.
    func verify(_ password: String, _ credentials: UserCredentials?, _ attempt: SignInTry) async throws -> Bool {
        let stored = credentials?.passwordHash ?? PasswordCheck.decoy
        do {
            let matches = try await services.passwordPool.admits(password, stored, for: attempt.payer)
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
}
