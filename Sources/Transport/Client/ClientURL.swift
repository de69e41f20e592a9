import HTTP
import Platform

/// An http, https, ws or wss URL, split strictly; user names and fragments are refused.
package struct ClientURL: Hashable, Sendable, CustomStringConvertible {
    /// The scheme, lower-case.
    package let scheme: String
    /// The host, lower-case, without the brackets of an IPv6 address.
    package let host: String
    /// The port, from the scheme when the URL names none.
    package let port: UInt16
    /// Path and query as they are sent; at least `/`.
    package let target: String

    /// Splits a URL, or returns nil when it is not one that we can use.
    package init?(_ text: String) {
        guard let mark = text.firstRange(of: "://") else { return nil }
        scheme = text[..<mark.lowerBound].lowercased()
        let defaultPort: UInt16
        switch scheme {
        case "http", "ws": defaultPort = 80
        case "https", "wss": defaultPort = 443
        default: return nil
        }
        let rest = text[mark.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard let (host, port) = Self.split(rest[..<end]) else { return nil }
        self.host = host
        self.port = port ?? defaultPort
        let tail = rest[end...]
        guard tail.utf8.allSatisfy(CharacterClass.isTarget) else { return nil }
        target = tail.hasPrefix("/") ? String(tail) : "/" + tail
    }

    private init(scheme: String, host: String, port: UInt16, target: String) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.target = target
    }

    /// The same server with another path and query, which must begin with a slash; nil when it cannot be sent.
    package func with(target: String) -> ClientURL? {
        guard target.hasPrefix("/"), target.utf8.allSatisfy(CharacterClass.isTarget) else { return nil }
        return ClientURL(scheme: scheme, host: host, port: port, target: target)
    }

    /// Whether the connection is inside TLS.
    package var isSecure: Bool { scheme == "https" || scheme == "wss" }

    /// The value of the Host field.
    package var authority: String {
        let isDefault = port == (isSecure ? 443 : 80)
        let name = host.contains(":") ? "[\(host)]" : host
        return isDefault ? name : "\(name):\(port)"
    }

    /// The URL as text.
    package var description: String { "\(scheme)://\(authority)\(target)" }

    private static func split(_ authority: Substring) -> (host: String, port: UInt16?)? {
        let host: Substring
        let port: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<close]
            let rest = authority[authority.index(after: close)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
            guard case .ipv6 = SocketAddress(host: String(host), port: 0) else { return nil }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        } else {
            host = authority
            port = nil
        }
        let isName = host.utf8.allSatisfy {
            CharacterClass.isDigit($0) || ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F
        }
        guard !host.isEmpty, host.utf8.count <= 255, isName || host.contains(":") else { return nil }
        guard let port else { return (host.lowercased(), nil) }
        guard port.utf8.allSatisfy(CharacterClass.isDigit), let number = UInt16(port), number > 0 else { return nil }
        return (host.lowercased(), number)
    }
}
