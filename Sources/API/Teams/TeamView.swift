import Bytes
import Core

/// The JSON forms of teams and of the people in them.
enum TeamView {
    static func write(_ membership: Membership, to writer: inout JSONWriter) {
        let team = membership.team
        writer.beginObject()
        writer.member("id", team.id.description)
        writer.member("name", team.name)
        writer.member("role", membership.role.rawValue)
        writer.member("state", team.deletedAt == nil ? "active" : "deleting")
        writer.member("created_at", team.createdAt)
        writer.member("deleted_at", team.deletedAt)
        writer.member("purge_at", team.purgeAt)
        writer.member("require_second_factor", team.requiresSecondFactor)
        writer.endObject()
    }

    static func write(_ member: Member, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("user_id", member.user.id.description)
        writer.member("email", member.user.email)
        writer.member("name", member.user.name)
        writer.member("role", member.role.rawValue)
        writer.member("joined_at", member.joinedAt)
        writer.endObject()
    }

    static func write(_ member: ProjectMember, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("user_id", member.user.id.description)
        writer.member("email", member.user.email)
        writer.member("name", member.user.name)
        writer.member("role", member.role.rawValue)
        writer.member("team_role", member.teamRole.rawValue)
        writer.member("project_role", member.ownRole?.rawValue)
        writer.endObject()
    }
}

extension TeamCall {
    /// The team with the role that the person had when the gate asked.
    var membership: Membership { Membership(team: team, role: role) }
}
