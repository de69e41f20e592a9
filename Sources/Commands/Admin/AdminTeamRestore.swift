import Core
package import Platform
import Store

/// `errand admin team restore TEAM`: takes a deletion back.
package struct AdminTeamRestore: Verb {
    package static let words = ["admin", "team", "restore"]
    package static let usage = "TEAM [options]"
    package static let summary = "Take the deletion of a team back; cancelled jobs stay cancelled."
    package static let options = [AdminOptions.data]

    private let arguments: Arguments
    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        named = try arguments.exactly("TEAM")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let team = try await AdminSession.run(arguments, on: loop) { store in
            let team = try await AdminTeams.find(named, in: store)
            let now = WallClock.now()
            let audit = AuditDraft.administration("team.restored", team: team.id, target: team.id.description, at: now)
            try await store.teams.restore(team.id, now: now, scope: .system, audit: audit)
                .demandDone(VisibleText.line(team.name))
            return team
        }
        terminal.note("\(VisibleText.line(team.name)) (\(team.id)) is back")
        return ExitCode.done
    }
}
