import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Who the person is at providers: `GET /v1/me/identities`.
    func listIdentities(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let names = try await providerNames()
        let identities = try await services.identities.identities(of: person.user)
        return .json(
            200,
            document { writer in
                writer.beginObject()
                writer.key("identities")
                writer.beginArray()
                for identity in identities { IdentityView.write(identity, names, to: &writer) }
                writer.endArray()
                writer.endObject()
            }
        )
    }

    /// Links the identity that a code proves: `POST /v1/me/identities`.
    ///
    /// The code counts for the sign-in alone that began: a link that somebody else was talked into opens nothing of theirs.
    func linkIdentity(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let form = try await request.jsonObject { ProviderCodeForm(&$0) }
        let (grant, hash) = try await grant(form, request)
        guard case .link(let signIn, let issuer, let subject, let email) = grant.purpose, signIn == person.signIn,
            grant.user == person.user
        else { throw ProblemError(.codeRefused) }
        try await use(hash, request)
        let now = services.time.now
        let identity = UserIdentity(
            id: IdentityID(at: now),
            userID: person.user,
            issuer: issuer,
            subject: subject,
            email: email,
            linkedAt: now,
            lastUsedAt: now
        )
        let audit = request.auditDraft(
            .person(person),
            "identity.linked",
            team: nil,
            target: identity.id.description,
            at: now,
            details: [AuditDetail("issuer", issuer), AuditDetail("subject", subject)]
        )
        do throws(StoreError) {
            try await services.identities.link(identity, audit: audit)
        } catch {
            switch error {
            case .conflict(field: "identity"): throw ProblemError(.identityRefused(.identityTaken))
            case .conflict(field: "provider"): throw ProblemError(.identityRefused(.identityExists))
            default: throw error
            }
        }
        let names = try await providerNames()
        return .json(201, document { IdentityView.write(identity, names, to: &$0) })
    }

    /// Takes an identity away from the account: `DELETE /v1/me/identities/{id}`.
    func unlinkIdentity(_ request: HTTPRequest, _ person: Person) async throws -> HTTPResponse {
        let id = try request.pathID("id", IdentityNoun.self, noun: "identity")
        let identities = try await services.identities.identities(of: person.user)
        guard let identity = identities.first(where: { $0.id == id }) else { throw ProblemError(.missing("identity")) }
        try await demandFresh(person)
        if identities.count == 1, try await !hasPassword(person.user) { throw ProblemError(.lastWayIn) }
        let audit = request.auditDraft(
            .person(person),
            "identity.unlinked",
            team: nil,
            target: id.description,
            at: services.time.now,
            details: [AuditDetail("issuer", identity.issuer)]
        )
        guard try await services.identities.unlink(id, of: person.user, audit: audit) else {
            throw ProblemError(.missing("identity"))
        }
        return .noContent
    }

    private func hasPassword(_ id: UserID) async throws -> Bool {
        guard let user = try await services.accounts.user(id) else { throw ProblemError(.unauthenticated) }
        // The first password that anybody chose is the first generation.
        return try await services.accounts.credentials(email: user.email).map { $0.passwordGeneration > 0 } ?? false
    }

    private func providerNames() async throws -> [String: String] {
        let providers = try await services.providers.providers()
        return Dictionary(providers.map { ($0.issuer, $0.name) }) { first, _ in first }
    }
}

/// The JSON form of an identity.
private enum IdentityView {
    static func write(_ identity: UserIdentity, _ names: [String: String], to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", identity.id.description)
        // Null while the administrator has taken the provider away.
        writer.member("provider", names[identity.issuer])
        writer.member("issuer", identity.issuer)
        writer.member("email", identity.email)
        writer.member("linked_at", identity.linkedAt)
        writer.member("last_used_at", identity.lastUsedAt)
        writer.endObject()
    }
}
