import Bytes
import Core
package import Platform

/// `errand team client create NAME`: registers a program of others in a team.
package struct ClientCreate: Verb {
    package static let words = ["team", "client", "create"]
    package static let usage = "NAME --redirect URI… --scope SCOPE… [options]"
    package static let summary = "Register a program that people of the team may let act for them, and print its id."
    package static let options = [
        Option("--redirect", "URI", "where people are sent back to, exactly; repeatable"),
        Option(
            "--scope",
            "SCOPE",
            "what it may ask for; repeatable: " + KeyScope.allCases.map(\.rawValue).joined(separator: ", ")
        ),
        Option("--confidential", "it runs on a server and can keep a secret, which is printed once"),
        TeamOptions.team, TeamOptions.json,
    ]

    private let arguments: Arguments
    private let name: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        name = try arguments.exactly("NAME")[0]
        guard !arguments.all("--redirect").isEmpty else { throw UsageError("name at least one --redirect") }
        let scopes = arguments.all("--scope")
        guard !scopes.isEmpty else { throw UsageError("name at least one --scope") }
        for scope in scopes where KeyScope(rawValue: scope) == nil {
            throw UsageError("\(scope) is no scope: \(KeyScope.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(arguments.value(TeamOptions.team.name))
        let body = JSONValue.object(
            JSONObject([
                ("name", .string(name)),
                ("redirect_uris", .array(arguments.all("--redirect").map { .string($0) })),
                ("scopes", .array(arguments.all("--scope").map { .string($0) })),
                ("confidential", .bool(arguments.has("--confidential"))),
            ])
        )
        let answer = try await client.confirmed { try await client.session.post(team.path + "/clients", body) }
        return ClientOutput.show(answer, arguments, terminal)
    }
}

/// `errand team client rotate-secret ID`: gives a confidential client another secret.
package struct ClientRotateSecret: Verb {
    package static let words = ["team", "client", "rotate-secret"]
    package static let usage = "ID [--team TEAM] [--json]"
    package static let summary = "Give a confidential client another secret; the old one is refused at once."
    package static let options = [TeamOptions.team, TeamOptions.json]

    private let arguments: Arguments
    private let id: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        id = try ClientOutput.id(arguments)
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(arguments.value(TeamOptions.team.name))
        let answer = try await client.confirmed {
            try await client.session.post(team.path + "/clients/\(id)/rotate-secret")
        }
        return ClientOutput.show(answer, arguments, terminal)
    }
}

/// What the verbs of clients read and print.
enum ClientOutput {
    /// The one id on the line.
    static func id(_ arguments: Arguments) throws(UsageError) -> String {
        let word = try arguments.exactly("ID")[0]
        guard OAuthClientID(word) != nil else { throw UsageError("\(word) is no client's id (app_…)") }
        return word
    }

    /// Prints the id of a client and the secret that is shown this once, or the whole document.
    static func show(_ document: JSONValue, _ arguments: Arguments, _ terminal: Terminal) -> Int32 {
        if arguments.has(TeamOptions.json.name) {
            terminal.put(document.encoded() + [UInt8(ascii: "\n")])
            return ExitCode.done
        }
        terminal.print(VisibleText.line(document["id"]?.string ?? ""))
        if let secret = document["secret"]?.string {
            terminal.note("the secret, which is not shown again:")
            terminal.print(VisibleText.line(secret))
        }
        return ExitCode.done
    }
}
