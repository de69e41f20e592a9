import Core
import HTTP

extension Endpoints {
    /// Forgets the signed-in person's own model key: `DELETE /v1/me/model-key`.
    func deleteMyModelKey(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        try await deleteModelKey(request, person, of: .user(person.user), team: nil)
    }

    /// Forgets a team's model key: `DELETE /v1/teams/{id}/model-key`.
    func deleteTeamModelKey(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        try await deleteModelKey(request, person(of: call), of: .team(call.team.id), team: call.team.id)
    }

    private func deleteModelKey(
        _ request: HTTPRequest,
        _ person: Person,
        of owner: ModelKeyOwner,
        team: TeamID?
    ) async throws -> HTTPResponse {
        let draft = request.auditDraft(
            .person(person),
            "model_key.removed",
            team: team,
            target: owner.description,
            at: services.time.now
        )
        guard try await services.modelKeys.removeModelKey(of: owner, scope: person.scope, audit: draft) else {
            throw ProblemError(.missing("model_key"))
        }
        return .noContent
    }
}
