import Core
package import Platform
import Store

/// `errand admin member add TEAM ADDRESS`: makes an account a member, past every invitation.
package struct AdminMemberAdd: Verb {
    package static let words = ["admin", "member", "add"]
    package static let usage = "TEAM ADDRESS [--role ROLE] [options]"
    package static let summary = "Make an account a member of a team."
    package static let options = [
        Option("--role", "ROLE", "viewer, member (default), admin or owner"), AdminOptions.data,
    ]

    private let arguments: Arguments
    private let named: String
    private let email: String
    private let role: Role

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let words = try arguments.exactly("TEAM", "ADDRESS")
        (named, email) = (words[0], words[1])
        role = try arguments.value("--role").map { word throws(UsageError) in try Role(argument: word) } ?? .member
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await AdminSession.run(arguments, on: loop) { store in
            let team = try await AdminTeams.find(named, in: store)
            let user = try await AdminTeams.account(email, in: store)
            let now = WallClock.now()
            let audit = AuditDraft.administration(
                "member.added",
                team: team.id,
                target: user.id.description,
                at: now,
                details: [AuditDetail("role", role.rawValue)]
            )
            try await store.teams.addMember(user.id, to: team.id, role: role, now: now, audit: audit)
                .demandDone(VisibleText.line(email))
        }
        terminal.note("\(VisibleText.line(email)) is \(role.rawValue) of \(VisibleText.line(named))")
        return ExitCode.done
    }
}
