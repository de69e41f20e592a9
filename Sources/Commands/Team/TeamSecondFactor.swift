import Bytes
import HTTP
package import Platform

/// `errand team second-factor`: whether a team demands a second factor of its members.
package struct TeamSecondFactor: Verb {
    package static let words = ["team", "second-factor"]
    package static let usage = "TEAM required|optional [--json]"
    package static let summary = "Demand a second factor of every member of a team, or no longer."
    package static let options = [TeamOptions.json]

    private let arguments: Arguments
    private let named: String
    private let isRequired: Bool

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let words = try arguments.exactly("TEAM", "required|optional")
        guard ["required", "optional"].contains(words[1]) else {
            throw UsageError("\(words[1]) is neither `required` nor `optional`")
        }
        (named, isRequired) = (words[0], words[1] == "required")
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(named)
        let body = JSONValue.object(JSONObject([("required", .bool(isRequired))]))
        let document = try await client.confirmed {
            try await client.session.change(.put, "\(team.path)/second-factor", body)
        }
        let told =
            isRequired
            ? "members of \(team.shown) without a second factor are not let in any more"
            : "\(team.shown) lets members in without a second factor"
        return TeamOutput.tell(told, document, arguments, terminal)
    }
}
