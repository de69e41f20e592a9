import Core
package import Platform
import Store

/// `errand admin member role TEAM ADDRESS ROLE`: another role for a member.
package struct AdminMemberRole: Verb {
    package static let words = ["admin", "member", "role"]
    package static let usage = "TEAM ADDRESS ROLE [options]"
    package static let summary = "Change a member's role: viewer, member, admin or owner."
    package static let options = [AdminOptions.data]

    private let arguments: Arguments
    private let named: String
    private let email: String
    private let role: Role

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let words = try arguments.exactly("TEAM", "ADDRESS", "ROLE")
        (named, email) = (words[0], words[1])
        role = try Role(argument: words[2])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        try await AdminSession.run(arguments, on: loop) { store in
            let team = try await AdminTeams.find(named, in: store)
            let user = try await AdminTeams.account(email, in: store)
            let audit = AuditDraft.administration(
                "member.role_changed",
                team: team.id,
                target: user.id.description,
                details: [AuditDetail("role", role.rawValue)]
            )
            try await store.teams.setRole(of: user.id, in: team.id, to: role, scope: .system, audit: audit)
                .demandDone(VisibleText.line(email))
        }
        terminal.note("\(VisibleText.line(email)) is \(role.rawValue) of \(VisibleText.line(named))")
        return ExitCode.done
    }
}
