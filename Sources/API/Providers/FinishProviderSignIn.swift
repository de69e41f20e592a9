import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Where providers send browsers back to: `GET /v1/auth/oidc/{provider}/callback`.
    ///
    /// Whoever comes without a state of ours, or with one that was used, sees a page; everybody else is sent on to the
    /// client that began, with a code or with the reason why there is none.
    func finishProviderSignIn(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let answer = ProviderReturn(request), let state = answer.state.flatMap({ ProviderState.parse($0) }),
            let signIn = try await services.identities.takeSignIn(stateHash: state.hash, now: services.time.now),
            let provider = try? await namedProvider(request), provider.id == signIn.provider,
            let redirect = ProviderRedirect(signIn.redirect, publicURL: services.settings.publicURL)
        else {
            return .page(
                400,
                Self.unknownReturn,
                "Begin again where you came from. A sign-in works once, for 10 minutes."
            )
        }
        var members: [(String, String)]
        do {
            members = [("code", try await code(for: answer, state, signIn, provider, request).text)]
        } catch {
            guard let denial = Self.denial(error) else { throw error }
            try await services.audit.record([refusedByProvider(request, provider, denial)])
            members = [("error", denial.code), ("error_description", denial.detail)]
        }
        if let text = signIn.clientState { members.append(("state", text)) }
        var response = HTTPResponse(status: 303)
        response.headers.set(name: "location", value: redirect.with(members))
        response.headers.set(name: "cache-control", value: "no-store")
        response.headers.set(name: "referrer-policy", value: "no-referrer")
        return response
    }

    private static let unknownReturn = "This sign-in is not under way any more"

    /// The one-use code for what the provider has proved.
    private func code(
        for answer: ProviderReturn,
        _ state: ProviderState,
        _ signIn: ProviderSignIn,
        _ provider: OpenIDProvider,
        _ request: HTTPRequest
    ) async throws -> ProviderCode {
        // RFC 9207: another provider's answer must not be taken for this one's.
        if let issuer = answer.issuer {
            guard issuer == provider.issuer else { throw ProviderDenial.mixedUp }
        } else {
            guard try await !directory.metadata(of: provider).namesItself else { throw ProviderDenial.mixedUp }
        }
        if let error = answer.error { throw ProviderDenial(providerError: error) }
        guard let brought = answer.code else { throw ProviderDenial.empty }
        let token = try await exchange(brought, state, signIn, at: provider)
        try provider.checkDomain(of: token)
        try checkFreshness(of: token, signIn)
        let (user, purpose) = try await proven(token, signIn, provider, request)
        let code = ProviderCode.make()
        try await services.identities.issue(
            ProviderGrant(
                provider: provider.id,
                user: user,
                purpose: purpose,
                challenge: signIn.challenge,
                redirect: signIn.redirect,
                expiresAt: services.time.now.adding(ProviderCode.lifetime)
            ),
            codeHash: code.hash
        )
        return code
    }

    /// Whose account it is, and what the code will do with it.
    private func proven(
        _ token: IDToken,
        _ signIn: ProviderSignIn,
        _ provider: OpenIDProvider,
        _ request: HTTPRequest
    ) async throws -> (UserID, ProviderGrant.Purpose) {
        guard let links = signIn.links else {
            let user = try await account(of: token, at: provider, request)
            return (user.id, .signIn(authenticatedAt: token.authenticatedAt))
        }
        let purpose = ProviderGrant.Purpose.link(
            links.signIn,
            issuer: token.issuer,
            subject: token.subject,
            email: token.email
        )
        return (links.user, purpose)
    }

    /// Whoever was to prove anew who they are must have done it after they were asked to.
    private func checkFreshness(of token: IDToken, _ signIn: ProviderSignIn) throws(ProviderRefusal) {
        guard signIn.wantsFresh else { return }
        guard let time = token.authenticatedAt, time.adding(IDTokenExpectation.leeway) >= signIn.startedAt else {
            throw .notFresh
        }
    }

    /// What stands against the person; nil for a failure of our own.
    private static func denial(_ error: any Error) -> ProviderDenial? {
        switch error {
        case let denial as ProviderDenial: denial
        case let refusal as ProviderRefusal: ProviderDenial(refusal)
        case let failure as ProviderFailure: ProviderDenial(failure)
        default: nil
        }
    }

    private func refusedByProvider(
        _ request: HTTPRequest,
        _ provider: OpenIDProvider,
        _ denial: ProviderDenial
    ) -> AuditDraft {
        request.auditDraft(
            by: .stranger,
            "sign_in.refused",
            team: nil,
            target: provider.id.description,
            outcome: .refused,
            at: services.time.now,
            details: [
                AuditDetail("provider", provider.name), AuditDetail("reason", denial.code),
                AuditDetail("detail", denial.detail),
            ]
        )
    }
}

extension HTTPResponse {
    /// A page for a person whom no program waits for; without scripts, styles and links.
    static func page(_ status: Int, _ title: String, _ text: String) -> HTTPResponse {
        let (title, text) = (escaped(title), escaped(text))
        let html = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title)</title></head>
            <body><h1>\(title)</h1><p>\(text)</p></body></html>

            """
        var response = HTTPResponse(status: status, body: .bytes([UInt8](html.utf8)))
        response.headers.set(name: "content-type", value: "text/html; charset=utf-8")
        response.headers.set(name: "content-security-policy", value: "default-src 'none'; frame-ancestors 'none'")
        response.headers.set(name: "cache-control", value: "no-store")
        response.headers.set(name: "referrer-policy", value: "no-referrer")
        return response
    }

    private static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            default: String(character)
            }
        }.joined()
    }
}
