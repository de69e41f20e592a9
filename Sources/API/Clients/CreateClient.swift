import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Registers a program of others in a team: `POST /v1/teams/{id}/clients`; a secret is shown in this answer alone.
    func createClient(_ request: HTTPRequest, _ call: TeamCall) async throws -> HTTPResponse {
        let person = try person(of: call)
        let form = try await request.jsonObject { ClientForm(&$0) }
        try await demandFresh(person)
        let now = services.time.now
        let client = OAuthClient(
            id: OAuthClientID(at: now),
            team: call.team.id,
            name: form.name,
            redirectURIs: form.redirectURIs,
            scopes: form.scopes,
            isConfidential: form.isConfidential,
            createdBy: person.user,
            createdAt: now
        )
        let secret = form.isConfidential ? OpaqueToken.make(.clientSecret) : nil
        let isKept = try await services.clients.createClient(
            client,
            secretHash: secret?.hash,
            scope: person.scope,
            audit: request.auditDraft(
                call,
                "client.created",
                target: client.id.description,
                at: now,
                details: [
                    AuditDetail("name", client.name), AuditDetail("scopes", client.scopeText),
                    AuditDetail("redirects", client.redirectURIs.joined(separator: " ")),
                    AuditDetail("confidential", "\(client.isConfidential)"),
                ]
            )
        )
        guard isKept else { throw ProblemError(.tooMany("clients", "clients", OAuthClientLimits.perTeam)) }
        return .json(201, document { ClientView.write(client, secret: secret?.token, to: &$0) })
    }
}

/// The fields of a new client.
private struct ClientForm {
    let name: String
    let redirectURIs: [String]
    let scopes: Set<KeyScope>
    let isConfidential: Bool

    init(_ fields: inout FieldReader) {
        name = fields.name("name", maximum: OAuthClientLimits.nameLength) ?? ""
        scopes = fields.choices("scopes", KeyScope.self, count: 1...KeyScope.allCases.count) ?? []
        isConfidential = fields.boolean("confidential") ?? false
        let uris =
            fields.strings(
                "redirect_uris",
                count: 1...OAuthClientLimits.redirectURIs,
                maximum: RedirectURI.longest
            ) ?? []
        redirectURIs = uris
        for uri in uris where RedirectURI(uri) == nil {
            fields.fault(
                "redirect_uris",
                "must be https, http on 127.0.0.1 or [::1], or a scheme of your own with a dot; whole, without # and *"
            )
            break
        }
        if Set(uris).count != uris.count { fields.fault("redirect_uris", "has an address twice") }
    }
}

extension OAuthClient {
    /// Its scopes as one text, in one order.
    var scopeText: String { scopes.map(\.rawValue).sorted().joined(separator: " ") }
}
