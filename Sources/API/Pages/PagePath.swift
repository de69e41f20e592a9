import HTTP

/// A place on this server that a page leads to, and no place anywhere else.
struct PagePath: Sendable, Equatable {
    /// The path and its query, as they stand in a link.
    let text: String

    static let signIn = PagePath("/signin")
    static let secondStep = PagePath("/signin/code")
    static let passkey = PagePath("/signin/passkey")
    static let signInByProvider = PagePath("/signin/provider")
    static let signInByProviderDone = PagePath("/signin/provider/done")
    static let signOut = PagePath("/signout")
    static let device = PagePath("/device")
    static let reset = PagePath("/reset")
    static let invite = PagePath("/invite")
    static let authorize = PagePath("/oauth/authorize")

    /// Longer ones are no links of ours.
    static let longest = 4_096
    /// Where somebody may be led after signing in.
    private static let returns: Set<String> = [device.text, invite.text, authorize.text]

    private init(_ text: String) { self.text = text }

    /// A place that a request names for after the sign-in: only pages that wait for one, never another server.
    init?(returning text: String) {
        guard text.utf8.count <= Self.longest,
            // Neither what a browser reads as another host, nor what could end a header field.
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"\\\"<>#".utf8.contains($0) })
        else { return nil }
        let path = text.prefix { $0 != "?" }
        guard Self.returns.contains(String(path)) else { return nil }
        self.text = text
    }

    /// The same place with a further parameter.
    func adding(_ name: String, _ value: String) -> PagePath {
        PagePath("\(text)\(text.contains("?") ? "&" : "?")\(name)=\(PercentEncoding.encode(value))")
    }
}
