import Bytes
import HTTP
package import Platform

/// `errand team delete`: begins a deletion that can be taken back for a week.
package struct TeamDelete: Verb {
    package static let words = ["team", "delete"]
    package static let usage = "TEAM [--yes] [--json]"
    package static let summary = "Delete a team; within seven days `errand team restore` takes it back."
    package static let options = [Confirmation.option, TeamOptions.json]

    private let arguments: Arguments
    private let named: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        named = try arguments.exactly("TEAM")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(named)
        try await Confirmation.demand("Delete \(team.shown) and cancel its jobs?", arguments)
        let document = try await client.session.change(.delete, team.path)
        let end = document["purge_at"]?.string.map { VisibleText.line($0) } ?? "in seven days"
        return TeamOutput.tell(
            "\(team.shown) is being deleted; `errand team restore \(VisibleText.line(team.id))` takes it back until \(end)",
            document,
            arguments,
            terminal
        )
    }
}
