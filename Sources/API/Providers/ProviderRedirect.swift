/// Where a browser may be sent when a provider has proved who sits at it: with a code, so not just anywhere.
struct ProviderRedirect: Equatable {
    /// Longer ones are no place of a client's.
    static let longest = 1_024

    let text: String

    /// Takes the page of this installation that goes on with a code, or a program that listens on the person's own machine
    /// (RFC 8252).
    ///
    /// No other place of ours: another provider's callback would hand the code on to that provider.
    /// A name such as `localhost` may lead elsewhere; the addresses cannot.
    init?(_ text: String, publicURL: String) {
        guard text.utf8.count <= Self.longest,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"\"<>\\^`{|}#".utf8.contains($0) })
        else { return nil }
        var base = publicURL
        while base.hasSuffix("/") { base.removeLast() }
        let page = base + PagePath.signInByProviderDone.text
        guard text == page || text.hasPrefix(page + "?return_to=") || Self.isLoopback(text) else { return nil }
        self.text = text
    }

    /// The place with members in its query.
    func with(_ members: [(String, String)]) -> String {
        text + (text.utf8.contains(UInt8(ascii: "?")) ? "&" : "?") + FormEncoding.encode(members)
    }

    private static func isLoopback(_ text: String) -> Bool {
        guard let prefix = ["http://127.0.0.1:", "http://[::1]:"].first(where: { text.hasPrefix($0) }) else {
            return false
        }
        let rest = text.dropFirst(prefix.count)
        let port = rest.prefix { $0 != "/" }
        return port.utf8.allSatisfy { (0x30...0x39).contains($0) } && (UInt16(port) ?? 0) > 0 && port.count < rest.count
    }
}
