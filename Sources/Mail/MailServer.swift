package import Core
import Platform

/// The mail server that takes letters, as one URL names it.
package struct MailServer: Sendable {
    /// Whether the whole connection is inside TLS, or begins it by STARTTLS.
    package let isImplicitTLS: Bool
    package let host: String
    package let port: UInt16
    /// Whom we sign in as; nil without signing in.
    package let user: String?
    /// The password in the clear, for the one place that needs it.
    package let password: ClearSecret?

    /// Reads `smtp://[USER:PASSWORD@]HOST[:PORT]` or the same with `smtps`; nil for anything else.
    ///
    /// Signs in user names and passwords that a URL cannot hold are written as %XX.
    package init?(_ url: String) {
        guard let mark = url.firstRange(of: "://") else { return nil }
        let standard: UInt16
        switch url[..<mark.lowerBound] {
        case "smtp": (isImplicitTLS, standard) = (false, 587)
        case "smtps": (isImplicitTLS, standard) = (true, 465)
        default: return nil
        }
        var rest = url[mark.upperBound...]
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        guard !rest.isEmpty, rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"/?#\\\"<>".utf8.contains($0) })
        else { return nil }
        if let at = rest.lastIndex(of: "@") {
            let pair = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let user = Self.decoded(pair[0]), let password = Self.decoded(pair[1]),
                !user.isEmpty
            else { return nil }
            (self.user, self.password) = (user, ClearSecret(password))
            rest = rest[rest.index(after: at)...]
        } else {
            (user, password) = (nil, nil)
        }
        guard let (host, port) = Self.place(rest, standard) else { return nil }
        (self.host, self.port) = (host, port)
    }

    /// Whether it is this machine, where a connection without TLS is nobody else's to read.
    package var isLocal: Bool {
        switch SocketAddress(host: host, port: port) {
        case .ipv4(let bytes, _): bytes.first == 127
        case .ipv6(let bytes, _): bytes == [UInt8](repeating: 0, count: 15) + [1]
        case .unix: false
        case nil: host == "localhost"
        }
    }

    /// The URL without the sign-in.
    package var shown: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(isImplicitTLS ? "smtps" : "smtp")://\(name):\(port)"
    }

    private static func place(_ text: Substring, _ standard: UInt16) -> (String, UInt16)? {
        var (host, port) = (text, standard)
        if let close = text.lastIndex(of: "]") {
            guard text.hasPrefix("[") else { return nil }
            host = text[text.index(after: text.startIndex)..<close]
            let tail = text[text.index(after: close)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
            if !tail.isEmpty {
                guard let number = UInt16(tail.dropFirst()), number > 0 else { return nil }
                port = number
            }
            guard case .ipv6 = SocketAddress(host: String(host), port: 0) else { return nil }
            return (String(host), port)
        }
        if let colon = text.firstIndex(of: ":") {
            guard let number = UInt16(text[text.index(after: colon)...]), number > 0 else { return nil }
            (host, port) = (text[..<colon], number)
        }
        let isName = host.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || byte == 0x2d || byte == 0x2e
        }
        guard isName, !host.isEmpty, !host.hasPrefix("-"), host.utf8.count <= 253 else { return nil }
        return (host.lowercased(), port)
    }

    /// What %XX stands for; nil when it is broken or holds a line break or a zero.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard !bytes.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}
