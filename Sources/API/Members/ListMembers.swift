import Bytes
import Core
import HTTP

extension Endpoints {
    /// The members of a team, oldest account first: `GET /v1/teams/{id}/members`.
    func listMembers(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["limit", "cursor"])
        let page = try await services.teams.members(
            of: call.team.id,
            after: try query.id("cursor", UserNoun.self),
            limit: try query.limit(),
            scope: call.principal.scope
        )
        return .json(200, encodePage(page, cursor: { $0.user.id.description }, encode: TeamView.write))
    }
}
