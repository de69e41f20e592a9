import Auth
import Bytes
import Core
import Crypto
import HTTP

extension Endpoints {
    /// Exchanges a code that a person gave for tokens (RFC 6749, 4.1.3; RFC 7636, 4.6).
    func exchangeCode(_ form: FormFields, _ request: HTTPRequest) async throws -> HTTPResponse {
        let client = try await provenClient(form, request)
        guard let presented = form["code"].flatMap({ OpaqueToken.parse($0, .authorizationCode) }),
            let code = try await services.clients.code(hash: presented.hash), code.client == client.id
        else { throw OAuthError.invalidGrant }
        guard code.signIn == nil else { return try await endReused(presented, request) }
        guard services.time.now < code.expiresAt, form["redirect_uri"] == code.redirectURI,
            let verifier = form["code_verifier"], CodeChallenge(code.challenge)?.admits(verifier) == true,
            let user = try await services.accounts.user(code.user)
        else { throw OAuthError.invalidGrant }
        do {
            return try await redeem(
                ProvenPerson(user: user, proof: SignInProof(first: .consent), passwordGeneration: nil),
                device: client.name,
                as: SignInOpening(
                    client: client.id.description,
                    credential: .refresh(.make()),
                    grant: .code(hash: presented.hash),
                    authenticatedAt: code.authenticatedAt,
                    scopes: code.scopes
                ),
                request
            )
        } catch let error as OAuthError {
            // Two came at once: neither can be told from the thief, so nobody keeps what the first got.
            _ = try? await endReused(presented, request)
            throw error
        }
    }

    /// Ends the sign-in that a code became before: somebody else has the code too (RFC 9700, 4.5).
    private func endReused(_ presented: OpaqueToken, _ request: HTTPRequest) async throws -> HTTPResponse {
        if let code = try await services.clients.code(hash: presented.hash), let signIn = code.signIn {
            let now = services.time.now
            try await services.accounts.revoke(
                signIn,
                now: now,
                audit: request.auditDraft(
                    by: .stranger,
                    "code.reuse_detected",
                    team: nil,
                    target: signIn.description,
                    outcome: .refused,
                    at: now,
                    details: [
                        AuditDetail("user", code.user.description), AuditDetail("client", code.client.description),
                    ]
                )
            )
            announceApp(signIn)
        }
        throw OAuthError.invalidGrant
    }
}

/// What stands for a client's sign-in among keys.
enum AppKey {
    /// The hash under which the key is found; no secret hashes to it, because none has this form.
    static func hash(of signIn: SignInID) -> [UInt8] { Digest.sha256(Array("errand app \(signIn)".utf8)) }
}
