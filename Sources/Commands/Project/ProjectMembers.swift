import Bytes
package import Platform

/// `errand project members`: who may do what in a project.
package struct ProjectMembers: Verb {
    package static let words = ["project", "members"]
    package static let usage = "[PROJECT] [--json]"
    package static let summary = "List the people of a project with the roles they have in it."
    package static let options = [Option("--json", "print the members' documents as an array")]

    private let named: String?
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.words.count <= 1 else { throw UsageError("expected: one PROJECT at most") }
        named = arguments.words.first
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let items = try await client.items("/v1/projects/\(try await client.project(named).id)/members")
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        var table = Table("ADDRESS", "ROLE", "IN THE TEAM", "NAME", "ID")
        for item in items {
            guard let row = MemberRow(item) else { continue }
            table.add(row.email, row.role, item["team_role"]?.string ?? "", row.name, row.id)
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}
