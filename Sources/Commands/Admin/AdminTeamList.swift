import Bytes
import Core
package import Platform
import Store

/// `errand admin team list`: all teams.
package struct AdminTeamList: Verb {
    package static let words = ["admin", "team", "list"]
    package static let usage = "[options]"
    package static let summary = "List all teams, oldest first."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        var teams: [Team] = []
        try await AdminSession.run(arguments, on: loop) { store in
            try await AdminTeams.each(in: store) { teams.append($0) }
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginArray()
            for team in teams {
                writer.beginObject()
                writer.member("id", team.id.description)
                writer.member("name", team.name)
                writer.member("created_at", team.createdAt)
                writer.member("deleted_at", team.deletedAt)
                writer.member("purge_at", team.purgeAt)
                writer.endObject()
            }
            writer.endArray()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            for team in teams {
                let mark = team.deletedAt == nil ? "" : "  deleting"
                terminal.print("\(team.id)  \(VisibleText.line(team.name))\(mark)")
            }
        }
        return ExitCode.done
    }
}
