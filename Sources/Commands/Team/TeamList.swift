import Bytes
import Core
package import Platform

/// `errand team list`: one's own teams.
package struct TeamList: Verb {
    package static let words = ["team", "list"]
    package static let usage = "[--json]"
    package static let summary = "List your teams."
    package static let options = [Option("--json", "print the teams' documents as an array")]

    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let items = try await client.session.get("/v1/teams")["items"]?.array ?? []
        if isJSON {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        let now = WallClock.now()
        var table = Table("NAME", "ROLE", "STATE", "AGE", "ID")
        for row in items.compactMap({ TeamRow($0) }) {
            table.add(row.name, row.role, row.state, row.createdAt.map { HumanText.age(now - $0) } ?? "", row.id)
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}
