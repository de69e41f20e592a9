import Bytes
import Core
import HTTP
package import Platform

/// `errand team role`: another role for a member.
package struct TeamRole: Verb {
    package static let words = ["team", "role"]
    package static let usage = "MEMBER ROLE [--team TEAM] [--json]"
    package static let summary = "Change a member's role: viewer, member, admin or owner."
    package static let options = [TeamOptions.team, TeamOptions.json]

    private let arguments: Arguments
    private let named: String
    private let role: Role

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let words = try arguments.exactly("MEMBER", "ROLE")
        named = words[0]
        role = try Role(argument: words[1])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let team = try await client.team(arguments.value(TeamOptions.team.name))
        let member = try await client.member(named, at: team.path)
        let body = JSONValue.object(JSONObject([("role", .string(role.rawValue))]))
        let document = try await client.session.change(.patch, "\(team.path)/members/\(member.id)", body)
        return TeamOutput.tell("\(member.shown) is \(role.rawValue) of \(team.shown)", document, arguments, terminal)
    }
}

extension Role {
    /// The role that a word of the command line names.
    init(argument: String) throws(UsageError) {
        guard let role = Role(rawValue: argument) else {
            let names = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw UsageError("\(argument) is not a role: \(names)")
        }
        self = role
    }
}
