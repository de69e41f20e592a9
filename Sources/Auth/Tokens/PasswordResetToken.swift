private import Bytes
private import Crypto

/// The secret of a link to a new password: 256 random bits, of which only a hash is kept.
package struct PasswordResetToken: Sendable {
    /// Time to send the link on and to open it, and no more.
    package static let lifetime = Duration.seconds(15 * 60)

    private static let prefix = "erp_"
    private static let secretLength = 32

    /// The text in the link.
    package let token: String

    /// A new token.
    package static func make() -> PasswordResetToken {
        PasswordResetToken(token: prefix + Base64.encodeURL(SecureRandom.bytes(secretLength)))
    }

    /// The token that a client presents, alone or as the end of a link; nil when it has not the form of one.
    package static func parse(_ text: String) -> PasswordResetToken? {
        let token = LinkSecret.last(of: text)
        guard token.hasPrefix(prefix), Base64.decodeURL(token.dropFirst(prefix.count))?.count == secretLength else {
            return nil
        }
        return PasswordResetToken(token: token)
    }

    /// The link that is given to the person; it leads to a page, and the server writes no query into a log.
    package func link(_ publicURL: String) -> String {
        var base = publicURL
        while base.hasSuffix("/") { base.removeLast() }
        return base + "/reset?token=" + token
    }

    private init(token: String) { self.token = token }

    /// What the store keeps; a slow hash would add nothing to 256 random bits.
    package var hash: [UInt8] { Digest.sha256([UInt8](token.utf8)) }
}
