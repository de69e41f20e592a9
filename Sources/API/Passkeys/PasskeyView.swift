import Auth
import Bytes
import Core
import HTTP

/// The JSON form of a passkey.
enum PasskeyView {
    static func write(_ passkey: Passkey, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", passkey.id.description)
        writer.member("name", passkey.name)
        writer.member("is_backed_up", passkey.isBackedUp)
        writer.key("transports")
        writer.beginArray()
        for transport in passkey.transports { writer.string(transport) }
        writer.endArray()
        writer.member("created_at", passkey.createdAt)
        writer.member("last_used_at", passkey.lastUsedAt)
        writer.endObject()
    }

    /// The answer to a new passkey, with the recovery codes when it came with some.
    static func answer(_ passkey: Passkey, recoveryCodes: [RecoveryCode]) -> HTTPResponse {
        .json(
            201,
            document { writer in
                writer.beginObject()
                writer.key("passkey")
                write(passkey, to: &writer)
                RecoveryCodesView.write(recoveryCodes, to: &writer)
                writer.endObject()
            }
        )
    }
}
