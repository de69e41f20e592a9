import Bytes
import Core
import HTTP
package import Platform

/// `errand project role`: another role for a member in one project.
package struct ProjectRole: Verb {
    package static let words = ["project", "role"]
    package static let usage = "MEMBER ROLE|team [--project PROJECT]"
    package static let summary =
        "Give a member another role in one project (viewer, member, admin), or the team's again."
    package static let options = [
        Option("--project", "PROJECT", "the project, by name or id; the default one unless given")
    ]

    private let arguments: Arguments
    private let named: String
    /// Nil for the team's.
    private let role: Role?

    package init(_ arguments: Arguments) throws(UsageError) {
        self.arguments = arguments
        let words = try arguments.exactly("MEMBER", "ROLE")
        named = words[0]
        role = words[1] == "team" ? nil : try Role(argument: words[1])
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        let client = try await Client.open(on: loop)
        let project = try await client.project(arguments.value("--project"))
        let place = "/v1/projects/\(project.id)"
        let member = try await client.member(named, at: place)
        guard let role else {
            _ = try await client.session.call(.delete, "\(place)/members/\(member.id)", repeats: .never)
            terminal.note("\(member.shown) has the team's role in \(VisibleText.line(project.name)) again")
            return ExitCode.done
        }
        let body = JSONValue.object(JSONObject([("role", .string(role.rawValue))]))
        _ = try await client.session.change(.put, "\(place)/members/\(member.id)", body)
        terminal.note("\(member.shown) is \(role.rawValue) in \(VisibleText.line(project.name))")
        return ExitCode.done
    }
}
