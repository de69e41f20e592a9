import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The page to sign in on with a passkey alone: `GET /signin/passkey`.
    func showPasskey(_ request: HTTPRequest) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["return_to"])
        let place = query.value("return_to").flatMap { PagePath(returning: $0) }
        return try await passkeyPage(place, request)
    }

    /// Signs in by what an authenticator made, alone or on top of the password: `POST /signin/passkey`.
    func signInByPasskey(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await pageForm(request, ["options", "credential", "return_to"])
        let place = form["return_to"].flatMap { PagePath(returning: $0) }
        do {
            let (person, _) = try await takePasskey(try Self.credential(form["credential"]), request)
            return try await openSession(person, then: place ?? .signIn, request)
        } catch let error as ProblemError where [400, 401, 403, 422, 429].contains(error.problem.status) {
            return try await passkeyPage(place, request, problem: error.problem)
        }
    }

    /// A form that the script fills in: for the second step that an interim token stands for, or for a whole sign-in.
    func passkeyForm(_ key: PageFormKey, _ interimToken: String?, _ place: PagePath?) async throws -> HTML {
        guard case .bytes(let options) = try await passkeySignIn(interimToken).body else {
            throw ProblemError(.internalError)
        }
        let fields: [HTML] =
            [
                .hidden("options", String(decoding: options, as: UTF8.self)), .hidden("credential", ""),
                .element(.p, [.id("passkey-problem"), .role("alert")]), .submit("Use a passkey"),
            ] + (place.map { [.hidden("return_to", $0.text)] } ?? [])
        return key.form(.passkey, fields, id: "passkey")
    }

    private func passkeyPage(
        _ place: PagePath?,
        _ request: HTTPRequest,
        problem: Problem? = nil
    ) async throws -> HTTPResponse {
        let key = PageFormKey(for: request)
        let link = place.map { PagePath.signIn.adding("return_to", $0.text) } ?? .signIn
        let other = HTML.element(.p, [], [.element(.a, [.href(link)], [.text("Sign in with a password")])])
        let form = try await passkeyForm(key, nil, place)
        return page("Sign in with a passkey", key, [form, other], problem, asksForPasskey: true)
    }

    /// What an authenticator made, in the JSON form of the Web Authentication standard.
    private static func credential(_ text: String?) throws -> UsedCredential {
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONReader.parse(Array((text ?? "").utf8))
        } catch {
            throw ProblemError(.unreadableJSON(error))
        }
        var fields = FieldReader(JSONObject([("credential", document)]))
        let credential = UsedCredential(&fields)
        try fields.finish()
        return credential
    }
}
