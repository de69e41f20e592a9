import Auth
import Core
import HTTP

extension Endpoints {
    /// The API keys of a team, newest first: all for who manages them, else one's own: `GET /v1/teams/{id}/api-keys`.
    ///
    /// What has ended is shown for a month, so that people see why something stopped.
    func listKeys(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let person = try person(of: call)
        let query = try QueryReader(request, allowed: ["limit", "cursor"])
        let now = services.time.now
        let page = try await services.apiKeys.keys(
            of: call.team.id,
            actingFor: managesKeys(call) ? nil : person.user,
            before: try query.id("cursor", APIKeyNoun.self),
            limit: try query.limit(),
            scope: person.scope
        )
        return .json(
            200,
            encodePage(
                page,
                cursor: { $0.id.description },
                encode: { KeyView.write($0, now: now, to: &$1) }
            )
        )
    }

    /// The key that a path names, if the person may know of it.
    func key(of request: HTTPRequest, _ call: TeamCall) async throws -> APIKey {
        let id = try request.pathID("key", APIKeyNoun.self, noun: "api_key")
        guard let key = try await services.apiKeys.key(id, of: call.team.id, scope: call.principal.scope),
            sees(key, call)
        else { throw ProblemError(.missing("api_key")) }
        return key
    }

    private func sees(_ key: APIKey, _ call: TeamCall) -> Bool {
        key.account == call.principal.account || managesKeys(call)
    }

    private func managesKeys(_ call: TeamCall) -> Bool {
        call.principal.allows(.serviceAccountManage, role: call.role)
    }
}
