import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// Sends the browser to a provider: `GET /signin/provider`.
    ///
    /// What the client of a sign-in keeps to itself is here a cookie of this browser's: an answer that somebody else began
    /// is worth nothing in it.
    func beginAtProvider(_ request: HTTPRequest) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["name", "return_to", "again"])
        let place = query.value("return_to").flatMap { PagePath(returning: $0) }
        guard let name = query.value("name") else {
            throw ProblemError(.malformedParameter("name", "must be the name of a provider"))
        }
        let provider = try await provider(named: name)
        let verifier = PKCE.makeVerifier()
        guard let redirect = pageRedirect(place) else { throw ProblemError(.internalError) }
        let wish = ProviderWish(
            challenge: PKCE.challenge(of: verifier),
            redirect: redirect,
            clientState: nil,
            wantsFresh: try query.boolean("again") ?? false,
            links: nil
        )
        var response = WebPage.redirect(to: try await begin(wish, at: provider))
        let (field, value) = BrowserCookie.provider.setting(verifier, for: ProviderState.lifetime)
        response.headers.append(name: field, value: value)
        return response
    }

    /// Where the browser comes back to: `GET /signin/provider/done`.
    func returnFromProvider(_ request: HTTPRequest) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["return_to", "code", "error", "error_description"])
        let place = query.value("return_to").flatMap { PagePath(returning: $0) }
        var response: HTTPResponse
        do {
            guard let code = query.value("code") else { throw ProblemError(.declined(query.value("error"))) }
            guard let verifier = request.cookie(.provider), let redirect = pageRedirect(place) else {
                throw ProblemError(.codeRefused)
            }
            let form = ProviderCodeForm(code: code, verifier: verifier, redirect: redirect.text)
            let person = try await redeem(form, request).person
            switch try await factorDemand(on: person, otp: nil, device: nil, request) {
            case .met(let proven): response = try await openSession(proven, then: place ?? .signIn, request)
            case .wanted(let wanted): response = try await secondStepPage(wanted, place, request)
            }
        } catch let error as ProblemError where (400..<500).contains(error.problem.status) {
            response = try await signInPage(request, email: nil, place, problem: error.problem)
        }
        let (name, value) = BrowserCookie.provider.clearing
        response.headers.append(name: name, value: value)
        return response
    }

    /// The links by which people choose a provider; none when there is none, or nobody can tell at this moment.
    func providerLinks(_ place: PagePath?, isAgain: Bool) async -> [HTML] {
        guard let providers = try? await services.providers.providers() else { return [] }
        return providers.map { provider in
            var link = PagePath.signInByProvider.adding("name", provider.name)
            if let place { link = link.adding("return_to", place.text) }
            if isAgain { link = link.adding("again", "true") }
            return .element(.p, [], [.element(.a, [.href(link)], [.text("Sign in with "), .foreign(provider.label)])])
        }
    }

    private func pageRedirect(_ place: PagePath?) -> ProviderRedirect? {
        let publicURL = services.settings.publicURL
        var base = publicURL
        while base.hasSuffix("/") { base.removeLast() }
        let path = PagePath.signInByProviderDone
        return ProviderRedirect(
            base + (place.map { path.adding("return_to", $0.text) } ?? path).text,
            publicURL: publicURL
        )
    }
}

extension Problem {
    /// The provider, or what it said of the person, let nobody in; what stands in the link is not shown, for anybody can
    /// make one.
    fileprivate static func declined(_ code: String?) -> Problem {
        Problem(
            status: 401,
            code: "provider_declined",
            title: "You are not signed in",
            detail: code.flatMap { ProviderRefusal(rawValue: $0) }?.sentence
                ?? "The provider did not sign you in, or cannot be asked at this moment."
        )
    }
}
