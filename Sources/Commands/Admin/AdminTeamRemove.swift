import Core
package import Platform
import Store

/// `errand admin team remove TEAM`: begins a deletion that can be taken back for a week.
package struct AdminTeamRemove: Verb {
    package static let words = ["admin", "team", "remove"]
    package static let usage = "TEAM [--yes] [options]"
    package static let summary = "Delete a team; within seven days `errand admin team restore` takes it back."
    package static let options = [Confirmation.option, AdminOptions.data]

    private let arguments: Arguments
    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        named = try arguments.exactly("TEAM")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let team = try await AdminSession.run(arguments, on: loop) { store in
            let team = try await AdminTeams.find(named, in: store)
            let shown = VisibleText.line(team.name)
            try await Confirmation.demand("Delete \(shown) (\(team.id)) and cancel its jobs?", arguments)
            let now = WallClock.now()
            let audit = AuditDraft.administration("team.deleted", team: team.id, target: team.id.description, at: now)
            try await store.teams.delete(team.id, now: now, scope: .system, audit: audit).demandDone(shown)
            return team
        }
        terminal.note("\(VisibleText.line(team.name)) (\(team.id)) is being deleted; its jobs end within seconds")
        return ExitCode.done
    }
}
