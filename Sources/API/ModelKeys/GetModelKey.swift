import Core
import HTTP

extension Endpoints {
    /// What may be shown of the signed-in person's own model key: `GET /v1/me/model-key`.
    func getMyModelKey(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        try await getModelKey(of: .user(person.user), person)
    }

    /// What may be shown of a team's model key: `GET /v1/teams/{id}/model-key`.
    func getTeamModelKey(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        try await getModelKey(of: .team(call.team.id), person(of: call))
    }

    private func getModelKey(of owner: ModelKeyOwner, _ person: Person) async throws -> HTTPResponse {
        guard let key = try await services.modelKeys.modelKey(of: owner, scope: person.scope) else {
            throw ProblemError(.missing("model_key"))
        }
        return ModelKeyView.answer(key)
    }
}
