import Auth
import Bytes
import Core
import HTTP

/// Somebody who is signed in in a browser.
struct Visitor {
    let user: User
    let signIn: SignIn

    /// The same person as operations know them.
    var person: Person { Person(user: user.id, signIn: signIn.id, expiresAt: signIn.expiresAt) }

    /// Whether they have proved who they are a short while ago.
    func isFresh(at now: Timestamp) -> Bool { now < signIn.authenticatedAt.adding(FreshSignIn.lifetime) }
}

/// A browser's sign-in.
enum BrowserSession {
    /// The client of such sign-ins.
    static let client = "browser"
    /// A working day: afterwards the person signs in again, whatever they do.
    static let lifetime = Duration.seconds(12 * 3_600)
}

extension Endpoints {
    /// Who is signed in in the browser of a request; nil when nobody is, or not any more.
    func visitor(_ request: HTTPRequest) async throws -> Visitor? {
        guard let session = request.cookie(.session).flatMap({ OpaqueToken.parse($0, .browserSession) }),
            let (signIn, user) = try await services.accounts.signIn(
                sessionHash: session.hash,
                now: services.time.now
            )
        else { return nil }
        return Visitor(user: user, signIn: signIn)
    }

    /// Opens a browser's sign-in for somebody who has proved who they are, and leads on.
    ///
    /// The session is a new one whoever was signed in before, and theirs ends: nobody can have known it beforehand.
    func openSession(_ person: ProvenPerson, then place: PagePath, _ request: HTTPRequest) async throws -> HTTPResponse
    {
        let before = try await visitor(request)
        let session = OpaqueToken.make(.browserSession)
        _ = try await openSignIn(
            person,
            device: "browser (\(ClientFamily.of(userAgent: request.shownUserAgent)))",
            as: SignInOpening(
                client: BrowserSession.client,
                lifetime: BrowserSession.lifetime,
                credential: .session(hash: session.hash)
            ),
            request
        )
        if let before { try await endSession(before, request) }
        let known = deviceToken(for: person.user, request)
        var response = WebPage.redirect(place)
        for (name, value) in [
            BrowserCookie.session.setting(session.token, for: BrowserSession.lifetime),
            BrowserCookie.device.setting(known, for: DeviceTokens.lifetime), BrowserCookie.form.clearing,
        ] { response.headers.append(name: name, value: value) }
        return response
    }

    /// Ends a browser's sign-in everywhere.
    func endSession(_ visitor: Visitor, _ request: HTTPRequest) async throws {
        let now = services.time.now
        try await services.accounts.revoke(
            visitor.signIn.id,
            now: now,
            audit: request.revocationDraft(visitor.person, visitor.signIn.id.description, at: now)
        )
        announce(.signIn(visitor.signIn.id))
    }
}
