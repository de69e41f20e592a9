import Bytes
import Core

/// What only the answer to its making has of an invitation.
struct NewInviteSecret {
    let token: String
    let link: String
    /// The ways by which it is sent to its address.
    let channels: [LetterChannel]
}

/// The JSON form of an invitation; token and link are in the answer to its making alone.
enum InviteView {
    static func write(
        _ invite: Invite,
        at now: Timestamp,
        secret: NewInviteSecret? = nil,
        to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.member("id", invite.id.description)
        writer.member("team_id", invite.teamID.description)
        writer.member("role", invite.role.rawValue)
        writer.member("email", invite.email)
        writer.member("state", invite.state(at: now).rawValue)
        writer.member("invited_by", invite.invitedBy?.description)
        writer.member("created_at", invite.createdAt)
        writer.member("expires_at", invite.expiresAt)
        writer.member("accepted_at", invite.acceptedAt)
        writer.member("accepted_by", invite.acceptedBy?.description)
        writer.member("revoked_at", invite.revokedAt)
        if let secret {
            writer.member("token", secret.token)
            writer.member("url", secret.link)
            writer.key("queued")
            writer.beginArray()
            for channel in secret.channels { writer.string(channel.rawValue) }
            writer.endArray()
        }
        writer.endObject()
    }
}
