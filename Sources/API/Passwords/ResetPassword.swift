import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Sets a new password by a reset link, which signs nobody in: `POST /v1/auth/reset`.
    ///
    /// A link that is unknown, used or expired, or whose account is disabled, gets one answer.
    func resetPassword(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            (
                token: fields.string("token", maximum: 256),
                password: fields.string("new_password", maximum: PasswordRules.maximumBytes)
            )
        }
        try await setPassword(form.password ?? "", byLink: form.token ?? "", request)
        return .noContent
    }

    /// Uses a reset link up for a new password, for every way to bring one.
    func setPassword(_ password: String, byLink link: String, _ request: HTTPRequest) async throws {
        let now = services.time.now
        guard let token = PasswordResetToken.parse(link),
            let user = try await services.passwords.resetOwner(hash: token.hash, now: now)
        else { throw ProblemError(.resetRefused) }
        let hash = try await newHash(of: password, for: user, member: "new_password")
        let ended = try await services.passwords.resetPassword(
            hash: token.hash,
            new: hash,
            notice: Notice(
                .passwordReset,
                at: now,
                address: request.remoteAddress,
                userAgent: request.shownUserAgent
            ),
            audit: request.auditDraft(
                by: .user(user.id, device: nil),
                "password.changed",
                team: nil,
                target: user.id.description,
                at: now,
                details: [AuditDetail("by", "reset link")]
            )
        )
        guard let ended else { throw ProblemError(.resetRefused) }
        giveBackTry(request)
        for signIn in ended { announce(.signIn(signIn)) }
    }
}
