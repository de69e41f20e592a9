import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Asks a person whether a program of others may act for them: `GET /oauth/authorize`.
    ///
    /// It always asks: a consent from before tells nothing of who sends the browser here now.
    func showConsent(_ request: HTTPRequest) async throws -> HTTPResponse {
        let fields = try HTTPRequest.fields(request.query, allowed: nil)
        do {
            let asked = try await authorizationRequest(fields)
            guard let visitor = try await visitor(request) else {
                guard let place = PagePath(returning: request.target) else { throw ProblemError(.redirectUnknown) }
                return WebPage.redirect(.signIn.adding("return_to", place.text))
            }
            return consentPage(asked, try await team(of: asked, visitor), visitor, request)
        } catch let refusal as AuthorizationRefusal {
            return answer(refusal)
        }
    }

    /// Takes the person's answer: `POST /oauth/authorize`.
    func giveConsent(_ request: HTTPRequest) async throws -> HTTPResponse {
        let fields = try await pageForm(request, Set(AuthorizationRequest.names + ["decision"]))
        guard let visitor = try await visitor(request) else { return WebPage.redirect(.signIn) }
        do {
            let asked = try await authorizationRequest(fields)
            let team = try await team(of: asked, visitor)
            let isGiven = fields["decision"] == "allow"
            let now = services.time.now
            let draft = request.auditDraft(
                .person(visitor.person),
                isGiven ? "consent.given" : "consent.refused",
                team: team.id,
                target: asked.client.id.description,
                at: now,
                details: [
                    AuditDetail("client", asked.client.name),
                    AuditDetail("scopes", asked.scopes.map(\.rawValue).sorted().joined(separator: " ")),
                    AuditDetail("redirect", asked.redirect.text),
                ]
            )
            guard isGiven else {
                try await services.audit.record([draft])
                throw AuthorizationRefusal(
                    redirect: asked.redirect,
                    state: asked.state,
                    code: "access_denied",
                    description: "The person refused."
                )
            }
            let code = OpaqueToken.make(.authorizationCode)
            try await services.clients.createCode(
                AuthorizationCode(
                    client: asked.client.id,
                    user: visitor.user.id,
                    redirectURI: asked.redirect.text,
                    challenge: asked.challenge.text,
                    scopes: asked.scopes,
                    authenticatedAt: visitor.signIn.authenticatedAt,
                    createdAt: now,
                    expiresAt: now.adding(OAuthClientLimits.codeLifetime)
                ),
                hash: code.hash,
                audit: draft
            )
            giveBackTry(request)
            return answer(asked.redirect, [("code", code.token), ("state", asked.state)])
        } catch let refusal as AuthorizationRefusal {
            giveBackTry(request)
            return answer(refusal)
        }
    }

    /// The client's team, if the person is in it and has all that it demands.
    private func team(of asked: AuthorizationRequest, _ visitor: Visitor) async throws -> Team {
        let principal = Principal.person(visitor.person)
        guard let found = try await services.teams.team(asked.client.team, scope: visitor.person.scope),
            !found.isClosing
        else { throw ProblemError(.consentOutsideTeam) }
        do {
            try await demandFactor(found.value, principal, .teamRead)
        } catch let refusal as Refusal {
            throw ProblemError(refusal.problem)
        }
        return found.value
    }

    private func consentPage(
        _ asked: AuthorizationRequest,
        _ team: Team,
        _ visitor: Visitor,
        _ request: HTTPRequest
    ) -> HTTPResponse {
        let key = PageFormKey(for: request)
        let scopes = HTML.element(
            .ul,
            [],
            asked.scopes.map(\.consent).sorted().map { .element(.li, [], [.text($0)]) }
        )
        let hidden = asked.parameters.map { HTML.hidden($0.0, $0.1) }
        return page(
            "Let this program act for you?",
            key,
            [
                .facts([
                    ("Program", .foreign(asked.client.name)), ("Registered by the team", .foreign(team.name)),
                    ("As", .foreign(visitor.user.email)), ("Then leads to", .foreign(asked.redirect.text)),
                ]),
                .element(.p, [], [.text("In this team, as far as your role goes, it will be able to:")]), scopes,
                .note(
                    "It never learns your password and reaches nothing else of your account. End it among your devices."
                ),
                key.form(.authorize, hidden + [.hidden("decision", "allow"), .submit("Allow")]),
                key.form(.authorize, hidden + [.hidden("decision", "refuse"), .submit("Refuse", [])]),
            ],
            formTargets: [asked.redirect.formTarget]
        )
    }
}

extension KeyScope {
    /// What a person is told that it lets a program do.
    fileprivate var consent: String {
        switch self {
        case .jobsRead: "see jobs and their logs"
        case .jobsRun: "submit jobs and cancel them"
        case .projectsRead: "see projects"
        case .projectsWrite: "make, change and delete projects"
        case .workspace: "put files into workspaces and take them out"
        case .auditRead: "read the audit log"
        case .membersRead: "see who is in the team"
        }
    }
}

extension Problem {
    fileprivate static let consentOutsideTeam = Problem(
        status: 403,
        code: "consent_outside_team",
        title: "This program belongs to a team that you are not in",
        detail: "Ask for an invitation, or sign in with another account."
    )
}
