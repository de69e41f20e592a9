package import Bytes
package import Core
import Crypto

/// The key by which a receiver knows that a webhook is ours.
package struct WebhookKey: Sendable {
    private static let prefix = "whsec_"
    private let bytes: ClearSecret

    /// Reads `whsec_` and 24 to 64 bytes in Base64, as the Standard Webhooks specification has it; nil for anything else.
    package init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), let bytes = Base64.decode(text.dropFirst(Self.prefix.count)),
            (24...64).contains(bytes.count)
        else { return nil }
        self.bytes = ClearSecret(bytes)
    }

    /// The signature of a body that is sent at a time under a name.
    func signature(id: String, timestamp: String, _ body: [UInt8]) -> String {
        "v1," + Base64.encode(Digest.hmacSHA256(key: bytes.reveal(), [UInt8]("\(id).\(timestamp).".utf8) + body))
    }
}

/// A letter as a signed webhook (Standard Webhooks 1.0.0).
package enum WebhookMessage {
    /// Writes a letter down; its name stays the same however often it is sent, time and signature do not.
    package static func compose(
        _ content: LetterContent,
        _ text: LetterText,
        of letter: ClaimedLetter,
        key: WebhookKey,
        now: Timestamp
    ) -> OutgoingLetter {
        let body = document { writer in
            writer.beginObject()
            writer.member("type", type(of: content))
            writer.member("timestamp", letter.createdAt)
            writer.key("data")
            writer.beginObject()
            writer.member("recipient", letter.recipient)
            writer.member("subject", text.subject)
            writer.member("text", text.paragraphs.joined(separator: "\n\n"))
            write(content, to: &writer)
            writer.endObject()
            writer.endObject()
        }
        let (id, time) = (letter.id.description, "\(now.milliseconds / 1_000)")
        return OutgoingLetter(
            recipient: letter.recipient,
            fields: [
                ("content-type", "application/json"), ("webhook-id", id), ("webhook-timestamp", time),
                ("webhook-signature", key.signature(id: id, timestamp: time, body)),
            ],
            bytes: body
        )
    }

    private static func type(of content: LetterContent) -> String {
        switch content {
        case .invite: "invite.created"
        case .passwordReset: "password.reset_issued"
        case .notice(let notice): "account.\(notice.kind.rawValue)"
        case .test: "test"
        }
    }

    private static func write(_ content: LetterContent, to writer: inout JSONWriter) {
        switch content {
        case .invite(let letter):
            writer.member("team", letter.team)
            writer.member("role", letter.role.rawValue)
            writer.member("invited_by", letter.host)
            writer.member("url", letter.link)
            writer.member("expires_at", letter.expiresAt)
        case .passwordReset(let letter):
            writer.member("url", letter.link)
            writer.member("expires_at", letter.expiresAt)
            writer.member("address", letter.address)
            writer.member("user_agent", letter.userAgent)
        case .notice(let notice):
            writer.member("device_id", notice.signIn?.description)
            writer.member("device_name", notice.deviceName)
            writer.member("address", notice.address)
            writer.member("user_agent", notice.userAgent)
        case .test: break
        }
    }
}
