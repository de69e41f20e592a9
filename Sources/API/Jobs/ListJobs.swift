import Bytes
import Core
import HTTP

extension Endpoints {
    /// Jobs of the person's teams, newest first: `GET /v1/jobs`.
    func listJobs(_ request: HTTPRequest, _ call: PersonCall) async throws -> HTTPResponse {
        let query = try QueryReader(
            request,
            allowed: ["limit", "cursor", "project_id", "team_id", "state", "kind"],
            repeatable: ["state"]
        )
        var filter = JobFilter()
        filter.project = try query.id("project_id", ProjectNoun.self)
        filter.team = try query.id("team_id", TeamNoun.self)
        filter.states = try query.choices("state", JobState.self)
        filter.kind = try query.choices("kind", JobKind.self).first
        let page = try await services.jobs.jobs(
            filter,
            before: try query.id("cursor", JobNoun.self),
            limit: try query.limit(),
            scope: call.principal.scope
        )
        return .json(200, encodePage(page, cursor: { $0.id.description }, encode: JobView.write))
    }
}
