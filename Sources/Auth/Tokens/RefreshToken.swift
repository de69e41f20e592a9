private import Bytes
package import Crypto

/// A refresh token: 256 random bits, of which only a hash is kept.
package struct RefreshToken: Sendable {
    /// Absolute life of a sign-in; refreshing never moves it.
    package static let lifetime = Duration.seconds(30 * 24 * 3600)
    /// How long after its first use the direct parent of the current token is answered with the same successor.
    package static let replayWindow = Duration.seconds(30)

    private static let prefix = "ert_"
    private static let secretLength = 32

    /// The text that the client keeps.
    package let token: String
    private let secret: [UInt8]

    /// A new token.
    package static func make() -> RefreshToken { RefreshToken(secret: SecureRandom.bytes(secretLength)) }

    /// The token that a client presents, or nil when it has not the form of one.
    package static func parse(_ text: String) -> RefreshToken? {
        guard text.hasPrefix(prefix), let secret = Base64.decodeURL(text.dropFirst(prefix.count)),
            secret.count == secretLength
        else { return nil }
        return RefreshToken(secret: secret)
    }

    private init(secret: [UInt8]) {
        self.secret = secret
        token = Self.prefix + Base64.encodeURL(secret)
    }

    /// What the store keeps; a slow hash would add nothing to 256 random bits.
    package var hash: [UInt8] { Digest.sha256([UInt8](token.utf8)) }

    /// The successor's text, readable only with this token, so that a replay gets it and the database alone does not give it.
    package func seal(successor: String) throws(CryptoError) -> [UInt8] {
        let nonce = SecureRandom.bytes(AEAD.nonceLength)
        return nonce + (try AEAD.seal([UInt8](successor.utf8), key: sealingKey, nonce: nonce, associated: hash))
    }

    /// The successor's text that was sealed under this token.
    package func open(sealed: [UInt8]) throws(CryptoError) -> String {
        let plain = try AEAD.open(
            [UInt8](sealed.dropFirst(AEAD.nonceLength)),
            key: sealingKey,
            nonce: [UInt8](sealed.prefix(AEAD.nonceLength)),
            associated: hash
        )
        guard let text = String(strictUTF8: plain) else {
            throw CryptoError(stage: "refresh successor", reason: .notAuthentic)
        }
        return text
    }

    private var sealingKey: [UInt8] {
        Digest.hmacSHA256(key: secret, [UInt8]("errand refresh successor 1".utf8))
    }
}
