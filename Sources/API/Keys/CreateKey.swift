import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Makes an API key for oneself or for a service account of the team: `POST /v1/teams/{id}/api-keys`.
    func createKey(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let person = try person(of: call)
        let form = try await request.jsonObject { KeyForm(&$0) }
        try await demandFresh(person)
        let account = try await serviceAccount(form.serviceAccount, call)
        let role = account.map { min($0.role, call.role) } ?? call.role
        for scope in form.scopes where !KeyScopes.mayGive(scope, role: role) {
            let text = "A key of the role \(role.rawValue) cannot have the scope \(scope.rawValue)."
            throw Refusal(.forbidden(text), call.principal, .keyCreate, team: call.team.id)
        }
        if let projects = form.projects { try await demandProjects(projects, call) }
        let now = services.time.now
        let secret = APIKeyToken.make()
        let key = APIKey(
            id: APIKeyID(at: now),
            team: call.team.id,
            name: form.name,
            hint: secret.hint,
            issuedBy: person.user,
            serviceAccount: account?.id,
            scopes: form.scopes,
            projects: form.projects,
            createdAt: now,
            expiresAt: form.days.map { now.adding(APIKeyLimits.days($0)) }
        )
        let verdict = try await services.apiKeys.createKey(
            key,
            hash: secret.hash,
            scope: person.scope,
            now: now,
            audit: request.auditDraft(
                call.principal,
                "api_key.created",
                team: call.team.id,
                target: key.id.description,
                at: now,
                details: key.auditDetails
            )
        )
        try demandDone(verdict)
        return KeyView.answer(key, secret: secret.token)
    }

    /// Refuses with the reason why there is no new key.
    func demandDone(_ verdict: KeyVerdict) throws(ProblemError) {
        switch verdict {
        case .done: return
        case .teamFull: throw ProblemError(.tooMany("api_keys", "API keys", APIKeyLimits.perTeam))
        case .personFull: throw ProblemError(.tooManyOwnKeys)
        case .replaced: throw ProblemError(.keyReplaced)
        case .overlapping: throw ProblemError(.keyOverlapping)
        }
    }

    /// The person of a call that only people may make.
    func person(of call: TeamCall) throws(Refusal) -> Person {
        guard case .person(let person) = call.principal else { throw Refusal(.personRequired, call.principal, nil) }
        return person
    }

    /// The service account that a key is for; only who manages service accounts may make one.
    private func serviceAccount(_ id: ServiceAccountID?, _ call: TeamCall) async throws -> ServiceAccount? {
        guard let id else { return nil }
        try require(.serviceAccountManage, call)
        let accounts = try await services.apiKeys.serviceAccounts(of: call.team.id, scope: call.principal.scope)
        guard let account = accounts.first(where: { $0.id == id }) else {
            throw ProblemError(.missing("service_account"))
        }
        return account
    }

    /// Refuses projects that are not the team's.
    private func demandProjects(_ ids: [ProjectID], _ call: TeamCall) async throws {
        for id in ids {
            let found = try await services.projects.project(id, scope: call.principal.scope)
            guard found?.value.teamID == call.team.id else { throw ProblemError(.missing("project")) }
        }
    }

    /// Refuses when the role of a call in the team does not carry a further permission.
    func require(_ permission: Permission, _ call: TeamCall) throws(Refusal) {
        guard call.principal.allows(permission, role: call.role) else {
            throw Refusal(
                .forbidden("This needs the permission \(permission.rawValue); your role is \(call.role.rawValue)."),
                call.principal,
                permission,
                team: call.team.id
            )
        }
    }
}

/// The fields of a new key.
private struct KeyForm {
    let name: String
    let scopes: Set<KeyScope>
    let projects: [ProjectID]?
    let days: Int?
    let serviceAccount: ServiceAccountID?

    init(_ fields: inout FieldReader) {
        name = fields.name("name", maximum: APIKeyLimits.nameLength) ?? ""
        scopes = Set(fields.choices("scopes", KeyScope.self, count: 1...KeyScope.allCases.count) ?? [])
        projects = fields.ids("project_ids", ProjectNoun.self, count: 1...APIKeyLimits.projects, required: false)
        days = fields.integer("expires_in_days", in: 1...APIKeyLimits.longestDays)
        serviceAccount = fields.id("service_account_id", ServiceAccountNoun.self, required: false)
        if projects != nil, !scopes.isDisjoint(with: KeyScopes.ofTeam) {
            fields.fault("scopes", "audit:read and members:read are of the whole team: leave out project_ids")
        }
    }
}

extension APIKey {
    /// What the audit log says of a key.
    var auditDetails: [AuditDetail] {
        var details = [
            AuditDetail("name", name),
            AuditDetail("scopes", scopes.map(\.rawValue).sorted().joined(separator: " ")),
            AuditDetail("acts_for", account.description),
        ]
        if let projects { details.append(AuditDetail("projects", projects.map(\.description).joined(separator: " "))) }
        if let expiresAt { details.append(AuditDetail("expires_at", expiresAt.rfc3339)) }
        return details
    }
}
