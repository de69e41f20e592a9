import Bytes
import Core
import HTTP

/// A project as the listing tells of it.
struct ProjectRow: Equatable {
    let id: String
    let name: String
    let policy: String
    let homeWorker: String?
    let createdAt: Timestamp?

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.string, let name = json["name"]?.string else { return nil }
        self.id = id
        self.name = name
        policy = json["policy"]?.string ?? ""
        homeWorker = json["home_worker"]?.string
        createdAt = json["created_at"]?.string.flatMap { Timestamp(rfc3339: $0) }
    }

    var remembered: RememberedProject { RememberedProject(id: id, name: name) }
}

extension Client {
    /// All items of a listing, page after page, at most `limit`.
    func items(_ path: String, query: [String] = [], limit: Int = .max) async throws -> [JSONValue] {
        var items: [JSONValue] = []
        var cursor: String?
        repeat {
            let page = min(200, limit - items.count)
            let parts = query + ["limit=\(page)"] + (cursor.map { ["cursor=\(PercentEncoding.encode($0))"] } ?? [])
            let answer = try await session.get(path + "?" + parts.joined(separator: "&"))
            let more = answer["items"]?.array ?? []
            items += more
            cursor = more.isEmpty ? nil : answer["next_cursor"]?.string
        } while cursor != nil && items.count < limit
        return items
    }

    /// The project that a command is about: named by id or name, else the remembered one, else the only one.
    func project(_ named: String?) async throws -> RememberedProject {
        if let named = named ?? environment["ERRAND_PROJECT"] { return try await find(named) }
        if let remembered = session.credentials?.project { return remembered }
        let rows = try await items("/v1/projects", limit: 2).compactMap { ProjectRow($0) }
        if rows.count == 1 { return rows[0].remembered }
        throw CommandFailure(
            rows.isEmpty
                ? "you have no project yet: make one with `errand project create NAME`"
                : "which project? Name it with --project, or choose one with `errand project use NAME`",
            exitCode: ExitCode.usage
        )
    }

    private func find(_ named: String) async throws -> RememberedProject {
        if ProjectID(named) != nil {
            guard let row = ProjectRow(try await session.get("/v1/projects/\(named)")) else {
                throw CommandFailure("the server's answer is no project", exitCode: ExitCode.unavailable)
            }
            return row.remembered
        }
        let rows = try await items("/v1/projects").compactMap { ProjectRow($0) }.filter { $0.name == named }
        guard let row = rows.first else {
            throw CommandFailure(
                "there is no project \(VisibleText.line(named)): see `errand project list`",
                exitCode: ExitCode.notFound
            )
        }
        guard rows.count == 1 else {
            let ids = rows.map(\.id).joined(separator: ", ")
            throw CommandFailure("several projects have this name: \(ids)", exitCode: ExitCode.usage)
        }
        return row.remembered
    }
}
