import Bytes
import Core
package import Platform
import Store

/// `errand admin team add NAME OWNER`: a team with an owner.
package struct AdminTeamAdd: Verb {
    package static let words = ["admin", "team", "add"]
    package static let usage = "NAME OWNER [options]"
    package static let summary = "Found a team; OWNER is the address of an account."
    package static let options = [AdminOptions.data, AdminOptions.json]

    private let arguments: Arguments
    private let name: String
    private let owner: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let words = try arguments.exactly("NAME", "OWNER")
        (name, owner) = (words[0], words[1])
        guard (1...TeamLimits.nameBytes).contains(name.utf8.count) else {
            throw UsageError("NAME must be 1 to \(TeamLimits.nameBytes) bytes")
        }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let now = WallClock.now()
        let team = Team(id: TeamID(at: now), name: name, createdAt: now)
        try await AdminSession.run(arguments, on: loop) { store in
            let user = try await AdminTeams.account(owner, in: store)
            let audit = AuditDraft.administration(
                "team.created",
                team: team.id,
                target: team.id.description,
                at: now,
                details: [AuditDetail("name", name), AuditDetail("owner", user.id.description)]
            )
            _ = try await store.teams.createTeam(team, owner: user.id, most: nil, audit: audit)
        }
        if arguments.has("--json") {
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("id", team.id.description)
            writer.member("name", team.name)
            writer.endObject()
            terminal.put(writer.bytes + [UInt8(ascii: "\n")])
        } else {
            terminal.print(team.id.description)
        }
        return ExitCode.done
    }
}
