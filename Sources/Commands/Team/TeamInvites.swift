import Bytes
package import Platform

/// `errand team invites`: the invitations of a team.
package struct TeamInvites: Verb {
    package static let words = ["team", "invites"]
    package static let usage = "[TEAM] [--json]"
    package static let summary = "List the invitations of a team, newest first."
    package static let options = [Option("--json", "print the invitations' documents as an array")]

    private let named: String?
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.words.count <= 1 else { throw UsageError("expected: one TEAM at most") }
        named = arguments.words.first
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let items = try await client.items(try await client.team(named).path + "/invites")
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        var table = Table("STATE", "ROLE", "FOR", "EXPIRES", "ID")
        for item in items {
            func text(_ name: String) -> String { item[name]?.string ?? "" }
            table.add(text("state"), text("role"), item["email"]?.string ?? "the link", text("expires_at"), text("id"))
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}
