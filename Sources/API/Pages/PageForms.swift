import Auth
import HTTP

/// The proof that a form comes from a page of ours, shown to this very browser.
struct PageFormKey {
    /// The field's value.
    let token: String
    /// The cookie to set, when the browser has none yet.
    let cookie: (String, String)?

    /// The field's name.
    static let field = "form"
    /// Time to fill a form in.
    private static let lifetime = Duration.seconds(3_600)

    /// The key of forms for the browser of a request.
    init(for request: HTTPRequest) {
        if let binding = request.formBinding {
            (token, cookie) = (binding.formToken, nil)
        } else {
            let new = OpaqueToken.make(.browserForm)
            (token, cookie) = (new.formToken, BrowserCookie.form.setting(new.token, for: Self.lifetime))
        }
    }

    /// A form that posts to a page of ours.
    func form(_ action: PagePath, _ content: [HTML], id: String? = nil) -> HTML {
        let name = id.map { [HTML.Attribute.id($0)] } ?? []
        return .element(.form, [.post, .action(action)] + name, [.hidden(Self.field, token)] + content)
    }
}

extension Endpoints {
    /// Reads the form of one of our pages; refuses what another site's page, or a program, sent in a browser's name.
    func pageForm(_ request: HTTPRequest, _ allowed: Set<String>) async throws -> FormFields {
        guard isOwnPage(request) else { throw ProblemError(.foreignForm) }
        let fields = try await request.form(allowed: allowed.union([PageFormKey.field]))
        guard let binding = request.formBinding, let token = fields[PageFormKey.field], binding.admits(form: token)
        else { throw ProblemError(.staleForm) }
        return fields
    }

    /// Whether the browser says that the request comes from a page of this server.
    ///
    /// Pages send no referrer, and then browsers hide the origin of forms as well; of the field beside it they alone
    /// decide (Fetch Metadata).
    private func isOwnPage(_ request: HTTPRequest) -> Bool {
        guard let origin = request.headers["origin"] else { return false }
        if origin == "null" { return request.headers["sec-fetch-site"] == "same-origin" }
        return isOwnOrigin(origin, request)
    }

    /// Whether an origin is this server's, as the request names it or as it is known outside.
    func isOwnOrigin(_ origin: String, _ request: HTTPRequest) -> Bool {
        origin == (request.isSecure ? "https://" : "http://") + request.authority
            || origin == services.settings.publicURL
    }
}

extension Problem {
    static let foreignForm = Problem(
        status: 403,
        code: "foreign_form",
        title: "This form was not sent from a page of this server",
        detail: "Open the page here, and send it from there."
    )
    static let staleForm = Problem(
        status: 403,
        code: "stale_form",
        title: "This page is too old",
        detail: "Open it again: somebody has signed in or out since, or cookies are off."
    )
}
