import Bytes
import Core
import HTTP

extension Endpoints {
    /// Keeps the signed-in person's own model key: `PUT /v1/me/model-key`.
    func putMyModelKey(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        try await putModelKey(request, person, of: .user(person.user), team: nil)
    }

    /// Keeps a team's model key: `PUT /v1/teams/{id}/model-key`.
    func putTeamModelKey(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        try await putModelKey(request, person(of: call), of: .team(call.team.id), team: call.team.id)
    }

    private func putModelKey(
        _ request: HTTPRequest,
        _ person: Person,
        of owner: ModelKeyOwner,
        team: TeamID?
    ) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["verify"])
        let verifies = try query.boolean("verify") ?? true
        let form = try await request.jsonObject { ModelKeyForm(&$0, check: services.modelCheck) }
        guard let endpoint = form.endpoint else { throw ProblemError(.internalError) }
        let secret = ClearSecret(form.key)
        let verification = verifies ? try await verify(endpoint, secret) : (.skipped, detail: nil)
        let now = services.time.now
        let key = ModelKey(
            owner: owner,
            provider: form.provider,
            baseURL: form.baseURL,
            lastFour: ModelKey.lastFour(of: form.key),
            setBy: person.user,
            setAt: now,
            verifiedAt: verification.0 == .accepted ? now : nil
        )
        let draft = request.auditDraft(
            .person(person),
            "model_key.set",
            team: team,
            target: owner.description,
            at: now,
            details: [
                AuditDetail("provider", form.provider.rawValue), AuditDetail("base_url", endpoint.baseURL),
                AuditDetail("verification", verification.0.rawValue),
            ]
        )
        try await services.vault.keep(secret, in: owner.secretPlace) { (sealed) async throws(StoreError) in
            try await services.modelKeys.setModelKey(key, sealed: sealed, scope: person.scope, audit: draft)
        }
        return ModelKeyView.answer(key, verification)
    }

    /// Asks the provider; a key that it refuses is not kept.
    private func verify(
        _ endpoint: ModelEndpoint,
        _ key: ClearSecret
    ) async throws -> (ModelKeyVerification, detail: String?) {
        switch await services.modelCheck.verify(endpoint, key: key) {
        case .accepted: return (.accepted, nil)
        case .unclear(let text): return (.unclear, text)
        case .refused(let status): throw ProblemError(.modelKeyRefused(status))
        case .forbidden(let text): throw ProblemError(.invalidFields([(pointer: "/base_url", detail: text)]))
        case .unreachable(let text): throw ProblemError(.modelUnreachable(text))
        case .busy: throw ProblemError(.overloaded("Too many model keys are being checked."))
        }
    }
}
