import Bytes
package import Platform

/// `errand team members`: who is in a team.
package struct TeamMembers: Verb {
    package static let words = ["team", "members"]
    package static let usage = "[TEAM] [--json]"
    package static let summary = "List the members of a team; of your only one unless named."
    package static let options = [Option("--json", "print the members' documents as an array")]

    private let named: String?
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.words.count <= 1 else { throw UsageError("expected: one TEAM at most") }
        named = arguments.words.first
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let items = try await client.items(try await client.team(named).path + "/members")
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        var table = Table("ADDRESS", "ROLE", "NAME", "ID")
        for row in items.compactMap({ MemberRow($0) }) { table.add(row.email, row.role, row.name, row.id) }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}
