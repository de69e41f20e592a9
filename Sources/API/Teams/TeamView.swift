import Bytes
import Core

/// The JSON forms of teams, members and accounts.
enum TeamView {
    static func write(_ membership: Membership, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", membership.team.id.description)
        writer.member("name", membership.team.name)
        writer.member("role", membership.role.rawValue)
        writer.member("created_at", membership.team.createdAt)
        writer.endObject()
    }

    static func write(_ user: User, role: Role, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("user_id", user.id.description)
        writer.member("email", user.email)
        writer.member("name", user.name)
        writer.member("role", role.rawValue)
        writer.endObject()
    }
}
