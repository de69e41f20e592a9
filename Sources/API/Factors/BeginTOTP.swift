import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Begins to set an authenticator application up: `POST /v1/me/totp`; it counts once a code of it has come back.
    func beginTOTP(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        try await demandFresh(person)
        guard let user = try await services.accounts.user(person.user) else { throw ProblemError(.unauthenticated) }
        let secret = TOTPSecret.make()
        let now = services.time.now
        do {
            try await services.vault.keep(ClearSecret(secret.bytes), in: TOTPFactor.place(of: user.id)) {
                (sealed) async throws(StoreError) in
                guard try await services.factors.beginTOTP(user.id, sealed: sealed, now: now) else {
                    throw .conflict(field: "totp")
                }
            }
        } catch StoreError.conflict(field: "totp") {
            throw ProblemError(.factorEnabled)
        }
        return .json(
            201,
            document { writer in
                writer.beginObject()
                writer.member("secret", secret.base32)
                writer.member("uri", secret.uri(account: user.email, issuer: issuerName))
                writer.member("expires_at", now.adding(TOTPEnrolment.lifetime))
                writer.endObject()
            }
        )
    }

    /// How applications name this installation: its host tells several of them apart.
    private var issuerName: String {
        let rest = services.settings.publicURL.split(separator: "//", maxSplits: 1).last ?? ""
        let host = rest.prefix { $0 != "/" && $0 != ":" && $0 != "[" }
        return host.isEmpty ? "Errand" : "Errand \(host)"
    }
}

/// The bounds of setting an application up.
enum TOTPEnrolment {
    /// Time to install an application first; a secret that lies about longer has been seen by others.
    static let lifetime = Duration.seconds(15 * 60)
}
