import Bytes
import Core
import HTTP

extension Endpoints {
    /// One team: `GET /v1/teams/{id}`.
    func getTeam(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        .json(200, document { TeamView.write(call.membership, to: &$0) })
    }

    /// The team as it is after an act; it may be out of reach by now.
    func teamAnswer(_ call: TeamCall, status: Int = 200) async throws -> HTTPResponse {
        guard let team = try await services.teams.team(call.team.id, scope: call.principal.scope) else {
            throw ProblemError(.missing("team"))
        }
        let membership = Membership(team: team.value, role: team.role)
        return .json(status, document { TeamView.write(membership, to: &$0) })
    }
}
