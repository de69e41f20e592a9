private import Bytes
private import Crypto

/// The secret of an invitation: 256 random bits, shown once to whoever invites, of which only a hash is kept.
package struct InviteToken: Sendable {
    private static let prefix = "einv_"
    private static let secretLength = 32
    /// Longer texts are no tokens and no links.
    package static let maximumBytes = 2_048

    /// The text that the guest presents.
    package let token: String

    /// A new token.
    package static func make() -> InviteToken {
        InviteToken(token: prefix + Base64.encodeURL(SecureRandom.bytes(secretLength)))
    }

    /// The token that a guest presents, alone or as the end of a link; nil when it has not the form of one.
    package static func parse(_ text: String) -> InviteToken? {
        let token = LinkSecret.last(of: text)
        guard token.hasPrefix(prefix), let secret = Base64.decodeURL(token.dropFirst(prefix.count)),
            secret.count == secretLength
        else { return nil }
        return InviteToken(token: token)
    }

    /// What the store keeps; a slow hash would add nothing to 256 random bits.
    package var hash: [UInt8] { Digest.sha256([UInt8](token.utf8)) }

    /// The link that is given to the guest; it leads to a page, and the server writes no query into a log.
    package func link(_ publicURL: String) -> String {
        var base = publicURL
        while base.hasSuffix("/") { base.removeLast() }
        return base + "/invite?token=" + token
    }
}
