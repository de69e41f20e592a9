import Bytes
import Crypto

/// The secret that a person's authenticator application shares with this installation.
package struct TOTPSecret: Sendable, CustomStringConvertible, CustomReflectable {
    /// Bytes of a secret: 160 bits, as long as the output of SHA-1 (RFC 4226, section 4).
    package static let length = 20

    /// The secret itself.
    package let bytes: [UInt8]

    /// Takes bytes that were kept; nil when they are not as many as a secret has.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = bytes
    }

    private init(random bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// A new secret.
    package static func make() -> TOTPSecret { TOTPSecret(random: SecureRandom.bytes(length)) }

    /// What a person types who cannot scan.
    package var base32: String { Base32.encode(bytes) }

    /// What the code to scan says; applications tell accounts apart by issuer and account.
    package func uri(account: String, issuer: String) -> String {
        let (issuer, account) = (Self.escaped(issuer), Self.escaped(account))
        return "otpauth://totp/\(issuer):\(account)?secret=\(base32)&issuer=\(issuer)"
            + "&algorithm=SHA1&digits=\(TOTP.standard.digits)&period=\(TOTP.period)"
    }

    /// Stars, whatever the secret is.
    package var description: String { "****" }
    /// Shows nothing to reflection, by which `dump` would print the bytes.
    package var customMirror: Mirror { Mirror(self, children: [:]) }

    /// RFC 3986: everything but the unreserved characters, since applications disagree about the others.
    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + Hex.encode([byte]).uppercased()
            }
        }.joined()
    }
}
