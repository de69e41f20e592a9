import Core
import HTTP
package import Platform

/// `errand team uninvite`: ends an open invitation.
package struct TeamUninvite: Verb {
    package static let words = ["team", "uninvite"]
    package static let usage = "INVITE [--team TEAM]"
    package static let summary = "End an open invitation, by its id."
    package static let options = [TeamOptions.team]

    private let arguments: Arguments
    private let invite: InviteID

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let word = try arguments.exactly("INVITE")[0]
        guard let invite = InviteID(word) else { throw UsageError("\(word) is not an invitation's id (inv_…)") }
        self.invite = invite
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(arguments.value(TeamOptions.team.name))
        _ = try await client.session.call(.delete, "\(team.path)/invites/\(invite)", repeats: .never)
        terminal.note("\(invite) is revoked")
        return ExitCode.done
    }
}
