import Bytes
import Core
package import Platform

/// `errand key rotate KEY`: a new secret in a key's place.
package struct KeyRotate: Verb {
    package static let words = ["key", "rotate"]
    package static let usage = "KEY [options]"
    package static let summary = "Make a key's successor and print its secret once; both work until the overlap ends."
    package static let options = [
        Option("--overlap", "TIME", "how long the old one goes on, such as 0, 2h or 7d; 24h unless given"),
        Option("--expires", "DAYS", "the new one's life, such as 90d; the old one's again unless given"),
        KeyOptions.team, KeyOptions.json,
    ]

    private let arguments: Arguments
    private let key: APIKeyID
    private let overlap: Int?
    private let days: Int64?

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        key = try KeyOptions.key(arguments.exactly("KEY")[0])
        days = try KeyOptions.days(arguments, "--expires")
        guard let text = arguments.value("--overlap") else {
            overlap = nil
            return
        }
        guard let seconds = HumanText.seconds(text) else {
            throw UsageError("--overlap takes a time, such as 2h or 7d")
        }
        overlap = seconds
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await KeyOptions.team(arguments, client)
        var body: [(String, JSONValue)] = []
        if let overlap { body.append(("overlap_seconds", .integer(Int64(overlap)))) }
        if let days { body.append(("expires_in_days", .integer(days))) }
        let form = JSONValue.object(JSONObject(body))
        let answer = try await client.confirmed {
            try await client.session.post("/v1/teams/\(team)/api-keys/\(key)/rotate", form)
        }
        KeyOptions.show(answer, isJSON: arguments.has("--json"), terminal)
        return ExitCode.done
    }
}
