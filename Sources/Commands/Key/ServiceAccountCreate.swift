import Bytes
package import Platform

/// `errand service-account create NAME`: an actor of the team that works by API keys alone.
package struct ServiceAccountCreate: Verb {
    package static let words = ["service-account", "create"]
    package static let usage = "NAME --role ROLE [options]"
    package static let summary = "Make an actor of the team that never signs in and works by API keys."
    package static let options = [
        Option("--role", "ROLE", "what its keys may do at most: viewer, member or admin"), KeyOptions.team,
        KeyOptions.json,
    ]

    private let arguments: Arguments
    private let name: String
    private let role: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        name = try arguments.exactly("NAME")[0]
        guard let role = arguments.value("--role"), ["viewer", "member", "admin"].contains(role) else {
            throw UsageError("--role must be viewer, member or admin")
        }
        self.role = role
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await KeyOptions.team(arguments, client)
        let form = JSONValue.object(JSONObject([("name", .string(name)), ("role", .string(role))]))
        let answer = try await client.confirmed {
            try await client.session.post("/v1/teams/\(team)/service-accounts", form)
        }
        if arguments.has("--json") {
            terminal.put(answer.encoded() + [UInt8(ascii: "\n")])
        } else {
            terminal.print(VisibleText.line(answer["id"]?.string ?? ""))
        }
        return ExitCode.done
    }
}
