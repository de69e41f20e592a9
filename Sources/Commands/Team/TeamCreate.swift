import Bytes
package import Platform

/// `errand team create`: founds a team.
package struct TeamCreate: Verb {
    package static let words = ["team", "create"]
    package static let usage = "NAME [--json]"
    package static let summary = "Found a team, with yourself as owner."
    package static let options = [TeamOptions.json]

    private let arguments: Arguments
    private let name: String

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        name = try arguments.exactly("NAME")[0]
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let body = JSONValue.object(JSONObject([("name", .string(name))]))
        return try TeamOutput.show(try await client.session.post("/v1/teams", body), arguments, terminal)
    }
}
