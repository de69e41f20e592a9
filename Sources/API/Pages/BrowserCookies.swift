import Auth
import HTTP

/// The cookies that pages keep; the prefix makes browsers hold them to this host, to TLS and to every path.
enum BrowserCookie: String {
    /// Who is signed in.
    case session = "__Host-errand"
    /// Which browser a form was made for, before anybody is signed in.
    case form = "__Host-errand-form"
    /// That somebody signed in from here before, so that strangers' failures do not make them wait.
    case device = "__Host-errand-device"
    /// What proves that the browser which comes back from a provider is the one that was sent there.
    case provider = "__Host-errand-provider"

    /// Sets the cookie: kept from scripts, and from requests of other sites but plain links.
    func setting(_ value: String, for life: Duration) -> (String, String) {
        (
            "set-cookie",
            "\(rawValue)=\(value); Max-Age=\(life.components.seconds); Path=/; Secure; HttpOnly; SameSite=Lax"
        )
    }

    /// Takes the cookie away.
    var clearing: (String, String) { setting("", for: .zero) }
}

extension HTTPRequest {
    /// The value of a cookie; one that comes twice is none, because nobody can say who set the other.
    func cookie(_ cookie: BrowserCookie) -> String? {
        let found = headers.values(of: "cookie")
            .flatMap { $0.split(separator: ";") }
            .map { $0.drop { $0 == " " } }
            .filter { $0.hasPrefix(cookie.rawValue + "=") }
        guard found.count == 1 else { return nil }
        return String(found[0].dropFirst(cookie.rawValue.utf8.count + 1))
    }

    /// What forms are bound to in this browser: its session, else the cookie of one that is not signed in.
    var formBinding: OpaqueToken? {
        cookie(.session).flatMap { OpaqueToken.parse($0, .browserSession) }
            ?? cookie(.form).flatMap { OpaqueToken.parse($0, .browserForm) }
    }
}
