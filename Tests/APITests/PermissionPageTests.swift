import API
import Auth
import Core
import FoundationEssentials
import HTTP
import Testing

/// `docs/permissions.md` is written from the two tables: `Permissions` and `Endpoints.table`.
struct PermissionPageTests {
    private static let rewrite = "ERRAND_REWRITE_DOCS=1 swift test --filter PermissionPageTests"
    private static let path =
        #filePath.components(separatedBy: "/Tests/").dropLast().joined(separator: "/Tests/") + "/docs/permissions.md"

    @Test func `the page of permissions is that of the tables`() throws {
        let page = Self.page()
        if ProcessInfo.processInfo.environment["ERRAND_REWRITE_DOCS"] == "1" {
            try page.write(toFile: Self.path, atomically: true, encoding: .utf8)
        }
        let written = try? String(contentsOfFile: Self.path, encoding: .utf8)
        #expect(written == page, "docs/permissions.md is out of date: \(Self.rewrite)")
    }

    @Test func `every route says who may call it, and those below a team, project or job name one permission`() {
        for row in Endpoints.table {
            let isBound = ["/v1/teams/{", "/v1/projects", "/v1/jobs", "/v1/claude"].contains {
                row.pattern.hasPrefix($0)
            }
            #expect((row.access.permission != nil) == isBound, "\(row.method.rawValue) \(row.pattern)")
        }
    }

    private static func page() -> String {
        var lines = [
            "# Permissions", "",
            "Who may do what in a team. This page is written from `Permissions` and the table of routes:",
            "`\(rewrite)` writes it again.", "",
            "A role includes those before it. A project may give a member another role than the team does; in that",
            "project it is the one that counts. Another team's object answers like one that does not exist (404); one's own",
            "team and too small a role answer 403. While a team is being deleted only the permissions marked so count; the",
            "others answer 409 `team_deleting`.", "",
            "| permission | \(Role.allCases.map(\.rawValue).joined(separator: " | ")) | during deletion |",
            "|---|" + String(repeating: "---|", count: Role.allCases.count + 1),
        ]
        for permission in Permission.allCases {
            let marks = Role.allCases.map { Permissions.allows(role: $0, permission) ? "yes" : "" }
            let stays = Permissions.holdsDuringDeletion(permission) ? "yes" : ""
            lines.append("| `\(permission.rawValue)` | \(marks.joined(separator: " | ")) | \(stays) |")
        }
        lines += ["", "| route | operation | who |", "|---|---|---|"]
        for row in Endpoints.table {
            lines.append("| `\(row.method.rawValue) \(row.pattern)` | `\(row.operationID)` | \(words(row.access)) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func words(_ access: RouteAccess) -> String {
        switch access {
        case .anyone: "anybody"
        case .page: "anybody, in a browser; signed in where it matters"
        case .machine: "the machine itself, administrators"
        case .worker: "a worker, by its own secret"
        case .person: "a signed-in person, about themselves"
        case .account: "a signed-in person or an API key, about their own teams"
        case .chosen(let permission): "`\(permission.rawValue)` in the team of what query or body name"
        case .team(let permission): "`\(permission.rawValue)` in the team"
        case .project(let permission): "`\(permission.rawValue)` in the project"
        case .job(let permission): "`\(permission.rawValue)` in the job's project"
        }
    }
}
