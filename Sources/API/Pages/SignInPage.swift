import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The page to sign in on: `GET /signin`.
    func showSignIn(_ request: HTTPRequest) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["return_to", "again"])
        let place = query.value("return_to").flatMap { PagePath(returning: $0) }
        let visitor = try await visitor(request)
        let isAgain = try query.boolean("again") ?? false
        guard let visitor, !isAgain else {
            return try await signInPage(request, email: visitor?.user.email, place, isAgain: visitor != nil)
        }
        if let place { return WebPage.redirect(place) }
        return signedInPage(visitor, request)
    }

    /// Signs in with address and password, or goes on to the second step: `POST /signin`.
    func signIn(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await pageForm(request, ["email", "password", "return_to"])
        let place = form["return_to"].flatMap { PagePath(returning: $0) }
        do {
            let person = try await provePassword(form["email"] ?? "", form["password"] ?? "", request)
            switch try await factorDemand(on: person, otp: nil, device: nil, request) {
            case .met(let proven): return try await openSession(proven, then: place ?? .signIn, request)
            case .wanted(let wanted): return try await secondStepPage(wanted, place, request)
            }
        } catch let error as ProblemError where [401, 429].contains(error.problem.status) {
            return try await signInPage(request, email: form["email"], place, problem: error.problem)
        }
    }

    /// Takes the second step of a sign-in: `POST /signin/code`.
    func signInByCode(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await pageForm(request, ["step", "code", "recovery_code", "return_to"])
        let place = form["return_to"].flatMap { PagePath(returning: $0) }
        guard let step = form["step"], (form["code"] == nil) != (form["recovery_code"] == nil) else {
            throw ProblemError(.staleForm)
        }
        let typed = form["code"].map { TypedFactor.code($0) } ?? .recoveryCode(form["recovery_code"] ?? "")
        do {
            let (person, _) = try await takeSecondFactor(step, typed, request)
            return try await openSession(person, then: place ?? .signIn, request)
        } catch let error as ProblemError where error.problem.code == Problem.interimRefused.code {
            return try await signInPage(request, email: nil, place, problem: error.problem)
        } catch let error as ProblemError where [401, 429].contains(error.problem.status) {
            // What else there is the person finds by beginning anew: it is not told twice.
            let methods: [FactorMethod] = form["code"] == nil ? [.recoveryCode] : [.totp, .recoveryCode]
            let wanted = WantedFactor(interimToken: step, methods: methods)
            return try await secondStepPage(wanted, place, request, problem: error.problem)
        }
    }

    /// Signs the browser out: `POST /signout`.
    func signOut(_ request: HTTPRequest) async throws -> HTTPResponse {
        _ = try await pageForm(request, [])
        if let visitor = try await visitor(request) { try await endSession(visitor, request) }
        var response = WebPage.redirect(.signIn)
        response.headers.append(name: BrowserCookie.session.clearing.0, value: BrowserCookie.session.clearing.1)
        return response
    }

    /// The page to sign in on, with what was wrong before.
    func signInPage(
        _ request: HTTPRequest,
        email: String?,
        _ place: PagePath?,
        isAgain: Bool = false,
        problem: Problem? = nil
    ) async throws -> HTTPResponse {
        let key = PageFormKey(for: request)
        let note = isAgain ? [HTML.note("Prove again who you are before you go on.")] : []
        let fields: [HTML] =
            HTML.field(
                "email",
                "Email",
                [
                    .type("email"), .autocomplete("username"), .maximumLength(EmailAddress.maximumLength), .required,
                    .value(email ?? ""),
                ] + (email == nil ? [.autofocus] : [])
            )
            + HTML.field(
                "password",
                "Password",
                [
                    .type("password"), .autocomplete("current-password"),
                    .maximumLength(PasswordRules.maximumBytes), .required,
                ] + (email == nil ? [] : [.autofocus])
            )
        let hidden = place.map { [HTML.hidden("return_to", $0.text)] } ?? []
        let form = key.form(.signIn, hidden + fields + [.submit("Sign in")])
        let link = place.map { PagePath.passkey.adding("return_to", $0.text) } ?? .passkey
        let other = HTML.element(.p, [], [.element(.a, [.href(link)], [.text("Sign in with a passkey")])])
        let links = await providerLinks(place, isAgain: isAgain)
        return page("Sign in", key, note + [form, other] + links, problem)
    }

    /// The page that asks for the second factor.
    func secondStepPage(
        _ wanted: WantedFactor,
        _ place: PagePath?,
        _ request: HTTPRequest,
        problem: Problem? = nil
    ) async throws -> HTTPResponse {
        let key = PageFormKey(for: request)
        let hidden = [HTML.hidden("step", wanted.interimToken)] + (place.map { [.hidden("return_to", $0.text)] } ?? [])
        var content: [HTML] = []
        if wanted.methods.contains(.totp) {
            let field = HTML.field(
                "code",
                "Code of your authenticator application",
                [
                    .type("text"), .inputMode("numeric"), .autocomplete("one-time-code"),
                    .maximumLength(FactorBounds.typed), .required, .autofocus, .style(.code),
                ]
            )
            content.append(key.form(.secondStep, hidden + field + [.submit("Continue")]))
        }
        if wanted.methods.contains(.recoveryCode) {
            let field = HTML.field(
                "recovery_code",
                "Recovery code",
                [.type("text"), .autocomplete("off"), .maximumLength(FactorBounds.typed), .required]
            )
            content += [
                .element(.h2, [], [.text("Or use a recovery code")]),
                key.form(.secondStep, hidden + field + [.submit("Use it up", [])]),
            ]
        }
        let asksForPasskey = wanted.methods.contains(.passkey)
        if asksForPasskey { content.insert(try await passkeyForm(key, wanted.interimToken, place), at: 0) }
        return page("Second step", key, content, problem, asksForPasskey: asksForPasskey)
    }

    private func signedInPage(_ visitor: Visitor, _ request: HTTPRequest) -> HTTPResponse {
        let key = PageFormKey(for: request)
        return page(
            "You are signed in",
            key,
            [
                .facts([("Account", .foreign(visitor.user.email)), ("Name", .foreign(visitor.user.name))]),
                .element(.p, [], [.element(.a, [.href(.device)], [.text("Confirm a device")])]),
                key.form(.signOut, [.submit("Sign out", [])]),
            ]
        )
    }

    /// A page with forms, which may need a cookie, and what was wrong with the one before.
    func page(
        _ title: String,
        _ key: PageFormKey,
        _ content: [HTML],
        _ problem: Problem? = nil,
        formTargets: [String] = [],
        asksForPasskey: Bool = false
    ) -> HTTPResponse {
        var response = WebPage(
            status: problem?.status ?? 200,
            title: title,
            problem: problem.map { [$0.title, $0.pageDetail].compactMap(\.self).joined(separator: ". ") },
            content: content,
            formTargets: formTargets,
            asksForPasskey: asksForPasskey
        ).response()
        if let problem { response.carry(problem) }
        if let (name, value) = key.cookie { response.headers.append(name: name, value: value) }
        return response
    }
}

extension Problem {
    /// What a person at a page needs to know besides the title.
    fileprivate var pageDetail: String? {
        if let retryAfter { return "Try again in \(retryAfter) s" }
        return code == Self.wrongCredentials.code ? nil : detail
    }
}
