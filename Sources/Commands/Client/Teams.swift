import Bytes
import Core
import HTTP

/// A team as the listing tells of it.
struct TeamRow: Equatable {
    let id: String
    let name: String
    let role: String
    let state: String
    let purgeAt: Timestamp?
    let createdAt: Timestamp?

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.string, let name = json["name"]?.string else { return nil }
        self.id = id
        self.name = name
        role = json["role"]?.string ?? ""
        state = json["state"]?.string ?? ""
        purgeAt = json["purge_at"]?.string.flatMap { Timestamp(rfc3339: $0) }
        createdAt = json["created_at"]?.string.flatMap { Timestamp(rfc3339: $0) }
    }

    /// Name and id, safe to print.
    var shown: String { "\(VisibleText.line(name)) (\(VisibleText.line(id)))" }
}

/// A member as the listing tells of them.
struct MemberRow: Equatable {
    let id: String
    let email: String
    let name: String
    let role: String

    init?(_ json: JSONValue) {
        guard let id = json["user_id"]?.string, let email = json["email"]?.string else { return nil }
        self.id = id
        self.email = email
        name = json["name"]?.string ?? ""
        role = json["role"]?.string ?? ""
    }

    /// The address, safe to print.
    var shown: String { VisibleText.line(email) }
}

extension Client {
    /// The team that a command is about: named by id or name, else the only one.
    func team(_ named: String?) async throws -> TeamRow {
        let rows = try await session.get("/v1/teams")["items"]?.array?.compactMap { TeamRow($0) } ?? []
        guard let named else {
            if rows.count == 1 { return rows[0] }
            throw CommandFailure(
                rows.isEmpty
                    ? "you are in no team: make one with `errand team create NAME`"
                    : "which team? Name it with --team; `errand team list` shows yours",
                exitCode: ExitCode.usage
            )
        }
        let found = rows.filter { $0.id == named || $0.name == named }
        guard let row = found.first else {
            throw CommandFailure(
                "there is no team \(VisibleText.line(named)): see `errand team list`",
                exitCode: ExitCode.notFound
            )
        }
        guard found.count == 1 else {
            let ids = found.map(\.id).joined(separator: ", ")
            throw CommandFailure("several teams have this name: \(ids)", exitCode: ExitCode.usage)
        }
        return row
    }

    /// A member of a team, or of the team of a project, named by id or address.
    func member(_ named: String, at place: String) async throws -> MemberRow {
        let rows = try await items(place + "/members").compactMap { MemberRow($0) }
        guard let row = rows.first(where: { $0.id == named || $0.email == named.lowercased() }) else {
            throw CommandFailure(
                "there is no member \(VisibleText.line(named)): see `errand team members`",
                exitCode: ExitCode.notFound
            )
        }
        return row
    }
}

extension TeamRow {
    /// Where the server has it.
    var path: String { "/v1/teams/\(id)" }
}
