import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Asks for a link to a new password by mail: `POST /v1/auth/forgot`.
    ///
    /// Whoever has no account gets the same answer after the same work: one row is written, and whether anybody is there
    /// is looked up later, when nobody waits. Without a mail server the administrator makes links, and this says so too.
    func forgotPassword(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await request.jsonObject { fields in
            fields.string("email", maximum: EmailAddress.maximumLength)
        }
        let now = services.time.now
        if let address = form.flatMap({ EmailAddress.canonical($0) }) {
            let reset = ResetRequest(
                id: LetterID(at: now),
                recipient: address,
                now: now,
                address: request.remoteAddress,
                userAgent: request.shownUserAgent
            )
            _ = try await services.outbox.askReset(reset, most: OutboxLimits.resetsPerRecipient)
        }
        return .json(
            202,
            document { writer in
                writer.beginObject()
                writer.member("status", "accepted")
                writer.member(
                    "detail",
                    services.settings.channels.isEmpty
                        ? "This server sends no mail: ask its administrator for a link."
                        : "If there is an account with this address, a link is on its way."
                )
                writer.endObject()
            }
        )
    }
}
