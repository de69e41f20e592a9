/// Where a client is sent back to with its code (RFC 9700, 2.1; RFC 8252, 7).
package struct RedirectURI: Sendable, Equatable {
    /// Longer ones are no addresses of programs.
    package static let longest = 512

    /// The address as it was registered or asked for.
    package let text: String
    /// What a page's policy has to let a form lead to, so that the browser may be sent there.
    package let formTarget: String
    /// For a loopback address, what comes before and behind the port, which the client finds out when it runs.
    private let loopback: (head: String, tail: String)?

    package static func == (left: RedirectURI, right: RedirectURI) -> Bool { left.text == right.text }

    /// Reads an address that may be registered: https, http on the loopback address, or a scheme of the program's own.
    package init?(_ text: String) {
        guard (1...Self.longest).contains(text.utf8.count),
            // Nothing that could end a field, be read as another host, stand for many, or be cut off by a browser.
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"\"<>\\^`{|}#*@".utf8.contains($0) }),
            let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        let scheme = String(text[..<colon])
        let rest = String(text[text.utf8.index(after: colon)...])
        self.text = text
        switch scheme {
        case "https":
            guard let authority = Self.authority(rest), Self.isHost(authority.host) else { return nil }
            formTarget = "https://\(authority.host)\(authority.port.map { ":\($0)" } ?? "")"
            loopback = nil
        case "http":
            guard let authority = Self.authority(rest), ["127.0.0.1", "[::1]"].contains(authority.host) else {
                return nil
            }
            // A policy has no words for an IPv6 address.
            formTarget = authority.host == "[::1]" ? "http:" : "http://127.0.0.1:*"
            loopback = (head: "http://\(authority.host)", tail: authority.tail)
        default:
            // The name of a domain that the program's maker has, backwards: two dots of a kind nobody else takes.
            guard Self.isPrivateScheme(scheme), rest.hasPrefix("/"), rest.utf8.count > 1 else { return nil }
            formTarget = "\(scheme):"
            loopback = nil
        }
    }

    /// Whether an address that a client asks for is this one: byte by byte, but for the port of a loopback address.
    package func admits(_ asked: RedirectURI) -> Bool {
        if asked.text == text { return true }
        guard let own = loopback, let other = asked.loopback else { return false }
        return own == other
    }

    /// The address with parameters behind those that it has.
    package func adding(_ parameters: String) -> String { text + (text.contains("?") ? "&" : "?") + parameters }

    /// Splits `//HOST[:PORT]/…`; what a browser would read otherwise is none.
    private static func authority(_ rest: String) -> (host: String, port: Int?, tail: String)? {
        guard rest.hasPrefix("//") else { return nil }
        let body = rest.dropFirst(2)
        let name = body.prefix { $0 != "/" && $0 != "?" }
        let tail = String(body[name.endIndex...])
        let split =
            name.hasPrefix("[") ? name.firstIndex(of: "]").map { name.index(after: $0) } : name.firstIndex(of: ":")
        let host = String(name[..<(split ?? name.endIndex)])
        guard !host.isEmpty else { return nil }
        guard let split, split != name.endIndex else { return (host, nil, tail) }
        let digits = name[name.index(after: split)...]
        guard name[split] == ":", (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), (1...65_535).contains(port)
        else { return nil }
        return (host, port, tail)
    }

    private static func isHost(_ host: String) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return host.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                    && label.utf8.allSatisfy { byte in
                        (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
                    }
            }
    }

    private static func isPrivateScheme(_ scheme: String) -> Bool {
        guard let first = scheme.utf8.first, (0x61...0x7a).contains(first), scheme.contains("."), !scheme.hasSuffix(".")
        else { return false }
        return scheme.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || "+-.".utf8.contains(byte)
        }
    }
}
