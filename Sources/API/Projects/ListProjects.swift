import Bytes
import Core
import HTTP

extension Endpoints {
    /// The projects of the person's teams, newest first: `GET /v1/projects`.
    func listProjects(_ request: HTTPRequest, _ call: PersonCall) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["limit", "cursor", "team_id"])
        let page = try await services.projects.projects(
            team: try query.id("team_id", TeamNoun.self),
            before: try query.id("cursor", ProjectNoun.self),
            limit: try query.limit(),
            scope: call.principal.scope
        )
        return .json(200, encodePage(page, cursor: { $0.id.description }, encode: ProjectView.write))
    }
}
