import Bytes
import Core
package import Platform

/// `errand key create NAME`: an API key for automation.
package struct KeyCreate: Verb {
    package static let words = ["key", "create"]
    package static let usage = "NAME --scope SCOPE… [options]"
    package static let summary = "Make an API key for yourself or for a service account, and print its secret once."
    package static let options = [
        Option(
            "--scope",
            "SCOPE",
            "what it may do; repeatable: " + KeyScope.allCases.map(\.rawValue).joined(separator: ", ")
        ),
        Option("--project", "PROJECT", "only this project, by name or id; repeatable"),
        Option("--expires", "DAYS", "its life, such as 90d, at most 366d; without end unless given"),
        Option("--service-account", "ID", "act for this service account of the team (svc_…)"),
        KeyOptions.team, KeyOptions.json,
    ]

    private let arguments: Arguments
    private let name: String
    private let days: Int64?

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        name = try arguments.exactly("NAME")[0]
        days = try KeyOptions.days(arguments, "--expires")
        let scopes = arguments.all("--scope")
        guard !scopes.isEmpty else { throw UsageError("name at least one --scope") }
        for scope in scopes where KeyScope(rawValue: scope) == nil {
            throw UsageError("\(scope) is no scope: \(KeyScope.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await KeyOptions.team(arguments, client)
        var body: [(String, JSONValue)] = [
            ("name", .string(name)), ("scopes", .array(arguments.all("--scope").map { .string($0) })),
        ]
        var projects: [JSONValue] = []
        for named in arguments.all("--project") { projects.append(.string(try await client.project(named).id)) }
        if !projects.isEmpty { body.append(("project_ids", .array(projects))) }
        if let days { body.append(("expires_in_days", .integer(days))) }
        if let account = arguments.value("--service-account") { body.append(("service_account_id", .string(account))) }
        let form = JSONValue.object(JSONObject(body))
        let answer = try await client.confirmed {
            try await client.session.post("/v1/teams/\(team)/api-keys", form)
        }
        KeyOptions.show(answer, isJSON: arguments.has("--json"), terminal)
        return ExitCode.done
    }
}
