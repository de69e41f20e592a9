import Bytes
import Core
package import Platform
import Store

/// `errand admin member list TEAM`: who is in a team.
package struct AdminMemberList: Verb {
    package static let words = ["admin", "member", "list"]
    package static let usage = "TEAM [options]"
    package static let summary = "List the members of a team, by its id or name."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        named = try arguments.exactly("TEAM")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let members = try await AdminSession.run(arguments, on: loop) { store in
            try await AdminTeams.members(of: AdminTeams.find(named, in: store).id, in: store)
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginArray()
            for member in members {
                writer.beginObject()
                writer.member("user_id", member.user.id.description)
                writer.member("email", member.user.email)
                writer.member("name", member.user.name)
                writer.member("role", member.role.rawValue)
                writer.member("is_disabled", member.user.isDisabled)
                writer.member("joined_at", member.joinedAt)
                writer.endObject()
            }
            writer.endArray()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            for member in members {
                let mark = member.user.isDisabled ? "  disabled" : ""
                terminal.print("\(member.user.id)  \(member.role.rawValue)  \(member.user.email)\(mark)")
            }
        }
        return ExitCode.done
    }
}
