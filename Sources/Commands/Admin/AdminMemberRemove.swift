import Core
package import Platform
import Store

/// `errand admin member remove TEAM ADDRESS`: takes an account out of a team.
package struct AdminMemberRemove: Verb {
    package static let words = ["admin", "member", "remove"]
    package static let usage = "TEAM ADDRESS [--yes] [options]"
    package static let summary = "Remove an account from a team; its open streams end within seconds."
    package static let options = [Confirmation.option, AdminOptions.data]

    private let arguments: Arguments
    private let named: String
    private let email: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let words = try arguments.exactly("TEAM", "ADDRESS")
        (named, email) = (words[0], words[1])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await AdminSession.run(arguments, on: loop) { store in
            let team = try await AdminTeams.find(named, in: store)
            let user = try await AdminTeams.account(email, in: store)
            try await Confirmation.demand(
                "Remove \(VisibleText.line(email)) from \(VisibleText.line(team.name))?",
                arguments
            )
            let audit = AuditDraft.administration("member.removed", team: team.id, target: user.id.description)
            try await store.teams.removeMember(user.id, from: team.id, scope: .system, audit: audit)
                .demandDone(VisibleText.line(email))
        }
        terminal.note("removed \(VisibleText.line(email)) from \(VisibleText.line(named))")
        return ExitCode.done
    }
}
