import Auth
import Bytes
import Core
import HTTP

extension Endpoints {
    /// The page to type a device's code on: `GET /device`.
    ///
    /// A link may bring the code along; it is looked up only when the person has seen it and goes on.
    func showDevice(_ request: HTTPRequest) async throws -> HTTPResponse {
        let query = try QueryReader(request, allowed: ["user_code"])
        let code = query.value("user_code").flatMap { UserCode.parse($0) }
        guard let visitor = try await visitor(request) else {
            let place = code.map { PagePath.device.adding("user_code", $0.shown) } ?? .device
            return WebPage.redirect(.signIn.adding("return_to", place.text))
        }
        return codePage(visitor, code, request)
    }

    /// Looks a device's code up, and with a decision confirms or refuses the device: `POST /device`.
    func confirmDevice(_ request: HTTPRequest) async throws -> HTTPResponse {
        let form = try await pageForm(request, ["user_code", "decision"])
        guard let visitor = try await visitor(request) else { return WebPage.redirect(.signIn) }
        let typed = form["user_code"] ?? ""
        let now = services.time.now
        do {
            let code = try await waitingCode(typed, visitor, request)
            let place = PagePath.device.adding("user_code", code.code.shown)
            // Approval by whoever has found the browser open must not be enough.
            guard visitor.isFresh(at: now) else {
                return WebPage.redirect(.signIn.adding("again", "true").adding("return_to", place.text))
            }
            guard let decision = form["decision"] else { return decisionPage(visitor, code, request) }
            guard let isApproved = ["approve": true, "refuse": false][decision] else {
                throw ProblemError(.malformedForm("has no such decision"))
            }
            return try await decide(code, isApproved: isApproved, visitor, request)
        } catch let error as ProblemError where [404, 429].contains(error.problem.status) {
            return codePage(visitor, UserCode.parse(typed), request, problem: error.problem)
        }
    }

    /// The device that waits under a code; a wrong one counts against the account, the address and the whole server.
    private func waitingCode(_ typed: String, _ visitor: Visitor, _ request: HTTPRequest) async throws -> WaitingDevice
    {
        // What is no code matches nothing: there is nothing to count.
        guard let code = UserCode.parse(typed) else { throw ProblemError(.codeUnknown) }
        let attempt = try await beginUserCode(request, visitor.user)
        let grant: DeviceGrant?
        do {
            grant = try await services.deviceGrants.deviceGrant(userCodeHash: code.hash, now: services.time.now)
        } catch {
            try? await services.signInThrottle.end(attempt, .undecided)
            throw error
        }
        guard let grant else { throw ProblemError(.codeUnknown) }
        // A code that one began oneself proves nothing: it forgives none of the wrong ones.
        try await services.signInThrottle.end(attempt, .undecided)
        giveBackTry(request)
        rates.giveBackUserCode()
        return WaitingDevice(code: code, grant: grant)
    }

    private func decide(
        _ device: WaitingDevice,
        isApproved: Bool,
        _ visitor: Visitor,
        _ request: HTTPRequest
    ) async throws -> HTTPResponse {
        let now = services.time.now
        let isDone = try await services.deviceGrants.decide(
            userCodeHash: device.code.hash,
            by: visitor.user.id,
            at: visitor.signIn.id,
            isApproved: isApproved,
            now: now,
            audit: request.auditDraft(
                .person(visitor.person),
                isApproved ? "device.approved" : "device.refused",
                team: nil,
                target: visitor.user.id.description,
                at: now,
                details: [
                    AuditDetail("client", device.grant.clientID), AuditDetail("device", device.grant.deviceName),
                    AuditDetail("device_address", device.grant.address),
                ]
            )
        )
        guard isDone else { throw ProblemError(.codeUnknown) }
        let (title, text) =
            isApproved
            ? ("The device is signed in", "Go back to it; you can close this page.")
            : ("The device was refused", "If you did not ask for it, somebody else may have sent you the code.")
        return WebPage(title: title, content: [.element(.p, [], [.text(text)])]).response()
    }

    private func codePage(
        _ visitor: Visitor,
        _ code: UserCode?,
        _ request: HTTPRequest,
        problem: Problem? = nil
    ) -> HTTPResponse {
        let key = PageFormKey(for: request)
        let field = HTML.field(
            "user_code",
            "Code",
            [
                .type("text"), .style(.code), .autocomplete("off"), .maximumLength(64), .required,
                .value(code?.shown ?? ""), .autofocus,
            ]
        )
        let note =
            "Type the code that the device shows. Go on only if it shows exactly this code, and you asked for it."
        return page("Confirm a device", key, [.note(note), key.form(.device, field + [.submit("Continue")])], problem)
    }

    private func decisionPage(_ visitor: Visitor, _ device: WaitingDevice, _ request: HTTPRequest) -> HTTPResponse {
        let key = PageFormKey(for: request)
        let code = HTML.element(.strong, [], [.text(device.code.shown)])
        let facts: [(String, HTML)] = [
            ("Code", code), ("Program", .foreign(DeviceClients.name(of: device.grant.clientID))),
            ("Device", .foreign(device.grant.deviceName)), ("Asks from the address", .foreign(device.grant.address)),
            ("Calls itself", .foreign(device.grant.userAgent)),
            ("Asked at", .text(device.grant.createdAt.rfc3339)),
            ("It will be able to", .text("do everything that you can do, for up to 30 days")),
            ("As", .foreign(visitor.user.email)),
        ]
        let hidden = HTML.hidden("user_code", device.code.letters)
        return page(
            "Sign this device in?",
            key,
            [
                .facts(facts),
                .note("Do not go on if somebody sent you the code, or if you do not know the address."),
                key.form(.device, [hidden, .hidden("decision", "approve"), .submit("Sign the device in")]),
                key.form(.device, [hidden, .hidden("decision", "refuse"), .submit("Refuse", [])]),
            ]
        )
    }
}

/// A device that waits, with the code that it shows.
private struct WaitingDevice {
    let code: UserCode
    let grant: DeviceGrant
}

extension Problem {
    /// One answer for codes that never were, were answered, or have ended.
    static let codeUnknown = Problem(
        status: 404,
        code: "code_not_found",
        title: "No device waits under this code",
        detail: "It may be mistyped, used or older than ten minutes."
    )
}
