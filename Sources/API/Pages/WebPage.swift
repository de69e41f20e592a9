import HTTP

/// One page for a person: a title, what was wrong, and content.
struct WebPage {
    var status = 200
    let title: String
    /// What the person has to know first.
    var problem: String?
    var content: [HTML] = []
    /// Where a form may lead besides this server: where the answer to it sends the browser on.
    var formTargets: [String] = []
    /// Whether the page asks for a passkey, which browsers give to a script alone.
    var asksForPasskey = false

    /// The page as an answer.
    func response() -> HTTPResponse {
        let notice = problem.map { [HTML.element(.p, [.style(.problem), .role("alert")], [.text($0)])] } ?? []
        let root = HTML.element(
            .html,
            [.lang("en")],
            [
                .element(
                    .head,
                    [],
                    [
                        .element(.meta, [.charset("utf-8")]),
                        .element(.meta, [.name("viewport"), .content("width=device-width, initial-scale=1")]),
                        .element(.title, [], [.text("\(title) · Errand")]),
                        .style,
                    ]
                ),
                .element(
                    .body,
                    [],
                    [
                        .element(
                            .main,
                            [],
                            [
                                .element(.header, [], [.text("Errand")]),
                                .element(.div, [], [.element(.h1, [], [.text(title)])] + notice + content),
                            ]
                        )
                    ] + (asksForPasskey ? [.passkeyScript] : [])
                ),
            ]
        )
        var response = HTTPResponse(status: status, body: .bytes(HTML.document(root)))
        let targets = (["'self'"] + formTargets).joined(separator: " ")
        let policy =
            "default-src 'none'; style-src \(PageStyle.source); "
            + (asksForPasskey ? "script-src \(PasskeyScript.source); " : "")
            + "form-action \(targets); frame-ancestors 'none'; "
            + "base-uri 'none'"
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"), ("content-security-policy", policy),
            ("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin"),
        ] { response.headers.set(name: name, value: value) }
        return response
    }

    /// Sends the browser on, to read and not to repeat.
    static func redirect(_ path: PagePath) -> HTTPResponse { redirect(to: path.text) }

    /// The same to a place outside, which has been checked.
    static func redirect(to address: String) -> HTTPResponse {
        var response = HTTPResponse(status: 303)
        response.headers.set(name: "location", value: address)
        response.headers.set(name: "referrer-policy", value: "no-referrer")
        response.headers.set(name: "cache-control", value: "no-store")
        return response
    }

    /// The page that tells of a problem.
    static func telling(_ problem: Problem) -> HTTPResponse {
        let page = WebPage(status: problem.status, title: problem.title, content: [.note(problem.detail ?? "")])
        var response = page.response()
        response.carry(problem)
        return response
    }
}

extension HTTPResponse {
    /// Takes over what a problem says in its header fields.
    mutating func carry(_ problem: Problem) {
        if let seconds = problem.retryAfter { headers.set(name: "retry-after", value: String(seconds)) }
        for (name, value) in problem.headers where name != "www-authenticate" {
            headers.append(name: name, value: value)
        }
    }
}

extension HTML {
    /// A paragraph that explains.
    static func note(_ text: String) -> HTML { .element(.p, [.style(.note)], [.text(text)]) }

    /// A field with its label.
    static func field(_ name: String, _ label: String, _ attributes: [Attribute]) -> [HTML] {
        [
            .element(.label, [.forID(name)], [.text(label)]),
            .element(.input, [.id(name), .name(name)] + attributes),
        ]
    }

    /// A value that goes along unseen.
    static func hidden(_ name: String, _ value: String) -> HTML {
        .element(.input, [.type("hidden"), .name(name), .value(value)])
    }

    /// The button that a form is sent by.
    static func submit(_ label: String, _ attributes: [Attribute] = [.style(.primary)]) -> HTML {
        .element(.button, [.type("submit")] + attributes, [.text(label)])
    }

    /// Facts with their names.
    static func facts(_ facts: [(name: String, value: HTML)]) -> HTML {
        .element(
            .dl,
            [],
            facts.flatMap { [.element(.dt, [], [.text($0.name)]), .element(.dd, [], [$0.value])] }
        )
    }
}
