import Auth
import Bytes
import Core
import HTTP

/// The roles that a service account may have: a team's owners are people.
private enum ServiceRole: String, CaseIterable {
    case viewer, member, admin

    var role: Role {
        switch self {
        case .viewer: .viewer
        case .member: .member
        case .admin: .admin
        }
    }
}

extension Endpoints {
    /// Makes an actor that works by API keys alone: `POST /v1/teams/{id}/service-accounts`.
    func createServiceAccount(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let person = try person(of: call)
        let form = try await request.jsonObject { fields in
            (
                name: fields.name("name", maximum: APIKeyLimits.nameLength),
                role: fields.choice("role", ServiceRole.self, required: true)
            )
        }
        try await demandFresh(person)
        let role = form.role?.role ?? .viewer
        guard role <= call.role else {
            let problem = Problem.forbidden("A service account cannot have a role above your own.")
            throw Refusal(problem, call.principal, .serviceAccountManage, team: call.team.id)
        }
        let now = services.time.now
        let account = ServiceAccount(
            id: ServiceAccountID(at: now),
            team: call.team.id,
            name: form.name ?? "",
            role: role,
            createdBy: person.user,
            createdAt: now
        )
        let isStored = try await services.apiKeys.createServiceAccount(
            account,
            scope: person.scope,
            audit: request.auditDraft(
                call.principal,
                "service_account.created",
                team: call.team.id,
                target: account.id.description,
                at: now,
                details: [AuditDetail("name", account.name), AuditDetail("role", role.rawValue)]
            )
        )
        guard isStored else {
            throw ProblemError(
                .tooMany("service_accounts", "service accounts", APIKeyLimits.serviceAccountsPerTeam)
            )
        }
        return .json(201, document { ServiceAccountView.write(account, to: &$0) })
    }

    /// The service accounts of a team, oldest first: `GET /v1/teams/{id}/service-accounts`.
    func listServiceAccounts(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        _ = try QueryReader(request, allowed: [])
        let accounts = try await services.apiKeys.serviceAccounts(of: call.team.id, scope: call.principal.scope)
        let page = Page(items: accounts, hasMore: false)
        return .json(200, encodePage(page, cursor: { $0.id.description }, encode: ServiceAccountView.write))
    }

    /// Ends a service account and its keys: `DELETE /v1/teams/{id}/service-accounts/{account}`.
    func deleteServiceAccount(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let id = try request.pathID("account", ServiceAccountNoun.self, noun: "service_account")
        let ended = try await services.apiKeys.deleteServiceAccount(
            id,
            of: call.team.id,
            scope: call.principal.scope,
            now: services.time.now,
            audit: request.auditDraft(
                call.principal,
                "service_account.deleted",
                team: call.team.id,
                target: id.description,
                at: services.time.now
            )
        )
        guard let ended else { throw ProblemError(.missing("service_account")) }
        for key in ended { announce(.key(key)) }
        return .noContent
    }
}

/// The JSON form of a service account.
enum ServiceAccountView {
    static func write(_ account: ServiceAccount, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", account.id.description)
        writer.member("team_id", account.team.description)
        writer.member("name", account.name)
        writer.member("role", account.role.rawValue)
        writer.member("created_by", account.createdBy.description)
        writer.member("created_at", account.createdAt)
        writer.endObject()
    }
}
