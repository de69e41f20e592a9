import Bytes
import HTTP
package import Platform

/// `errand team client list`: the programs of others that a team has registered.
package struct ClientList: Verb {
    package static let words = ["team", "client", "list"]
    package static let usage = "[--team TEAM] [--json]"
    package static let summary = "List the programs that the team has registered, oldest first."
    package static let options = [TeamOptions.team, TeamOptions.json]

    private let arguments: Arguments

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(arguments.value(TeamOptions.team.name))
        let items = try await client.session.get(team.path + "/clients")["items"]?.array ?? []
        if arguments.has(TeamOptions.json.name) {
            terminal.put(JSONValue.array(items).encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        var table = Table("NAME", "ID", "KIND", "SCOPES", "LEADS TO")
        for item in items {
            table.add(
                VisibleText.cut(VisibleText.line(item["name"]?.string ?? ""), to: 24),
                item["id"]?.string ?? "",
                item["confidential"]?.bool == true ? "confidential" : "public",
                (item["scopes"]?.array ?? []).compactMap(\.string).joined(separator: " "),
                VisibleText.line((item["redirect_uris"]?.array ?? []).compactMap(\.string).joined(separator: " "))
            )
        }
        for line in table.lines(width: ClientEnvironment.terminalWidth()) { terminal.print(line) }
        return ExitCode.done
    }
}

/// `errand team client remove ID`: removes a program and ends all that people let it do.
package struct ClientRemove: Verb {
    package static let words = ["team", "client", "remove"]
    package static let usage = "ID [--team TEAM]"
    package static let summary = "Remove a program; whatever people let it do ends at once."
    package static let options = [TeamOptions.team]

    private let arguments: Arguments
    private let id: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        id = try ClientOutput.id(arguments)
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(arguments.value(TeamOptions.team.name))
        _ = try await client.session.call(.delete, team.path + "/clients/\(id)", repeats: .never)
        terminal.note("\(id) is removed from \(team.shown)")
        return ExitCode.done
    }
}
