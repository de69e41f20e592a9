import Bytes
import HTTP
package import Platform

/// `errand team rename`: another name for a team.
package struct TeamRename: Verb {
    package static let words = ["team", "rename"]
    package static let usage = "TEAM NAME [--json]"
    package static let summary = "Give a team another name."
    package static let options = [TeamOptions.json]

    private let arguments: Arguments
    private let named: String
    private let name: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let words = try arguments.exactly("TEAM", "NAME")
        (named, name) = (words[0], words[1])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(named)
        let body = JSONValue.object(JSONObject([("name", .string(name))]))
        let document = try await client.session.change(.patch, team.path, body)
        return TeamOutput.tell("\(team.shown) is now \(VisibleText.line(name))", document, arguments, terminal)
    }
}
