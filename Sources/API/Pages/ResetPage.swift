import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The page that a reset link leads to: `GET /reset`; it says nothing of the link, which is judged when it is used.
    func showReset(_ request: HTTPRequest) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["token"])
        return resetPage(request, link: query.value("token"))
    }

    /// Sets a new password by a link, which signs nobody in: `POST /reset`.
    func resetByPage(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await pageForm(request, ["token", "password", "again"])
        let link = form["token"]
        guard let password = form["password"], password == form["again"] else {
            return resetPage(request, link: link, problem: .passwordsDiffer)
        }
        do {
            try await setPassword(password, byLink: link ?? "", request)
        } catch let error as ProblemError where [401, 422].contains(error.problem.status) {
            return resetPage(request, link: link, problem: error.problem)
        }
        let content: [HTML] = [
            .element(.p, [], [.text("Everything that was signed in to the account has been signed out.")]),
            .element(.p, [], [.element(.a, [.href(.signIn)], [.text("Sign in")])]),
        ]
        return WebPage(title: "The password is set", content: content).response()
    }

    private func resetPage(_ request: HTTPRequest, link: String?, problem: Problem? = nil) -> HTTPResponse {
        let key = PageFormKey(for: request)
        let token: [HTML] =
            link.map { [.hidden("token", $0)] }
            ?? HTML.field(
                "token",
                "The link that you were given",
                [.type("text"), .autocomplete("off"), .maximumLength(InviteToken.maximumBytes), .required]
            )
        func field(_ name: String, _ label: String, _ more: [HTML.Attribute] = []) -> [HTML] {
            HTML.field(
                name,
                label,
                [
                    .type("password"), .autocomplete("new-password"), .maximumLength(PasswordRules.maximumBytes),
                    .required,
                ] + more
            )
        }
        let fields = token + field("password", "New password", [.autofocus]) + field("again", "The same again")
        return page(
            "Choose a new password",
            key,
            [.note("At least twelve characters."), key.form(.reset, fields + [.submit("Set the password")])],
            problem
        )
    }
}

extension Problem {
    fileprivate static let passwordsDiffer = Problem(
        status: 422,
        code: "passwords_differ",
        title: "The two passwords are not the same"
    )
}
