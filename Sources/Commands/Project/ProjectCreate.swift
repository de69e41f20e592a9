import Bytes
import Core
package import Platform

/// `errand project create`: makes a project, and remembers it when it is the first.
package struct ProjectCreate: Verb {
    package static let words = ["project", "create"]
    package static let usage = "NAME [--team TEAM] [--policy POLICY] [--json]"
    package static let summary = "Make a project; the first one becomes the default."
    package static let options = [
        Option("--team", "TEAM", "the team that owns it, by id or name; your own unless given"),
        Option("--policy", "POLICY", "what unattended agents may do: contained (default), ask, read_only"),
        Option("--json", "print the project's document"),
    ]

    private let name: String
    private let team: String?
    private let policy: String?
    private let isJSON: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        name = try arguments.exactly("NAME")[0]
        team = arguments.value("--team")
        policy = arguments.value("--policy")
        isJSON = arguments.has("--json")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        var body = [("name", JSONValue.string(name))]
        if let team { body.append(("team_id", .string(try await client.team(team).id))) }
        if let policy { body.append(("policy", .string(policy))) }
        let document = try await client.session.post("/v1/projects", .object(JSONObject(body)))
        guard let row = ProjectRow(document) else {
            throw CommandFailure("the server's answer is no project", exitCode: ExitCode.unavailable)
        }
        let isFirst = client.session.credentials != nil && client.session.credentials?.project == nil
        if isFirst { try await client.session.remember(row.remembered) }
        if isJSON {
            terminal.put(document.encoded() + [UInt8(ascii: "\n")])
        } else {
            terminal.print(row.id)
            if isFirst { terminal.note("\(VisibleText.line(row.name)) is the project of commands that name none") }
        }
        return ExitCode.done
    }
}
