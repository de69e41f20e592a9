import Bytes
import Core
import HTTP
package import Platform

/// `errand project list`: the projects of the person's teams.
package struct ProjectList: Verb {
    package static let words = ["project", "list"]
    package static let usage = "[--team ID] [--json]"
    package static let summary = "List the projects, newest first."
    package static let options = [
        Option("--team", "ID", "only those of one team"),
        Option("--json", "print the projects' documents as an array"),
    ]

    private let team: String?
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        team = arguments.value("--team")
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let query = team.map { ["team_id=\(PercentEncoding.encode($0))"] } ?? []
        let items = try await client.items("/v1/projects", query: query)
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        let chosen = client.session.credentials?.project?.id
        let now = WallClock.now()
        var table = Table("", "NAME", "POLICY", "AGE", "ID")
        for row in items.compactMap({ ProjectRow($0) }) {
            let age = row.createdAt.map { HumanText.age(now - $0) } ?? ""
            table.add(row.id == chosen ? "*" : "", row.name, row.policy, age, row.id)
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}
