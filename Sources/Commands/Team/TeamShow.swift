import Bytes
package import Platform

/// `errand team show`: one team.
package struct TeamShow: Verb {
    package static let words = ["team", "show"]
    package static let usage = "[TEAM] [--json]"
    package static let summary = "Show one team, by name or id; your only one unless named."
    package static let options = [TeamOptions.json]

    private let named: String?
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        guard arguments.words.count <= 1 else { throw UsageError("expected: one TEAM at most") }
        named = arguments.words.first
        isJSON = arguments.has(TeamOptions.json.name)
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let document = try await client.session.get(try await client.team(named).path)
        if isJSON {
            terminal.put(document.encoded() + [UInt8(ascii: "\n")])
        } else {
            for line in DocumentText.lines(document) { terminal.print(line) }
        }
        return ExitCode.done
    }
}
