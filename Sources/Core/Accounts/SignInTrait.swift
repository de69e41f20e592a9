/// One thing by which a sign-in is like others of the same person, or is new.
package struct SignInTrait: Hashable, Sendable {
    /// What is compared.
    package enum Kind: String, Sendable, CaseIterable {
        /// The kind of client, whatever its version.
        case client
        /// The network of the address.
        case network
        /// The country that the address is said to be in.
        case country
    }

    package var kind: Kind
    package var value: String

    /// Names a trait.
    package init(_ kind: Kind, _ value: String) {
        self.kind = kind
        self.value = value
    }
}

/// Kinds of clients, as the `User-Agent` field tells them.
package enum ClientFamily {
    /// A product's name is no longer than this; the rest of a longer one is not looked at.
    private static let longestName = 40
    /// Browsers name each other for old sites' sake: the first mark that is found decides.
    private static let browsers = [
        ("Edg", "edge"), ("OPR/", "opera"), ("SamsungBrowser/", "samsung"), ("Firefox/", "firefox"),
        ("FxiOS/", "firefox"), ("CriOS/", "chrome"), ("Chrome/", "chrome"), ("Safari/", "safari"),
    ]

    /// The family of a client: a browser's name, else the first product's, else `unknown`.
    package static func of(userAgent: String) -> String {
        if userAgent.hasPrefix("Mozilla/") {
            return browsers.first { userAgent.contains($0.0) }?.1 ?? "browser"
        }
        let product = userAgent.utf8.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: " ") }
        let isName = product.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || "-._".utf8.contains(byte)
        }
        guard !product.isEmpty, isName else { return "unknown" }
        return String(decoding: product.prefix(longestName), as: UTF8.self).lowercased()
    }
}
