private import Bytes
private import Crypto

/// A secret of 256 random bits that stands for something in the store, which keeps a hash of it only.
package struct OpaqueToken: Sendable {
    /// What a secret stands for; the prefix keeps one kind from passing for another.
    package enum Kind: String, Sendable, CaseIterable {
        /// A browser that is signed in; the value of its cookie.
        case browserSession = "ebs_"
        /// A browser that is not signed in yet: it binds forms to it and stands for nothing in the store.
        case browserForm = "ebf_"
        /// A device that waits for its person's confirmation (RFC 8628).
        case deviceCode = "edc_"
        /// A client that comes back from the consent page (RFC 6749, 4.1).
        case authorizationCode = "eac_"
        /// What a confidential client of a team proves itself by.
        case clientSecret = "ecs_"
    }

    private static let secretLength = 32

    /// The text that is given away.
    package let token: String

    /// A new secret.
    package static func make(_ kind: Kind) -> OpaqueToken {
        OpaqueToken(token: kind.rawValue + Base64.encodeURL(SecureRandom.bytes(secretLength)))
    }

    /// The secret that somebody presents, or nil when it has not the form of one of this kind.
    package static func parse(_ text: String, _ kind: Kind) -> OpaqueToken? {
        guard text.hasPrefix(kind.rawValue), text.utf8.count <= 64,
            Base64.decodeURL(text.dropFirst(kind.rawValue.count))?.count == secretLength
        else { return nil }
        return OpaqueToken(token: text)
    }

    private init(token: String) { self.token = token }

    /// What the store keeps; a slow hash would add nothing to 256 random bits.
    package var hash: [UInt8] { Digest.sha256([UInt8](token.utf8)) }

    /// What proves that a form was made for whoever holds this secret.
    package var formToken: String {
        Base64.encodeURL(Digest.hmacSHA256(key: [UInt8](token.utf8), [UInt8]("errand form 1".utf8)))
    }

    /// Whether a text is the form token of this secret, in constant time.
    package func admits(form text: String) -> Bool { constantTimeEqual([UInt8](text.utf8), [UInt8](formToken.utf8)) }
}
