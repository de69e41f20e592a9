package import Bytes
package import Crypto

/// A key that signs access tokens, with the time in which it is believed.
package struct SigningKey: Sendable {
    /// The key's RFC 7638 thumbprint, by which tokens name it.
    package let identifier: String
    /// When the key was made.
    package let createdAt: Timestamp
    /// From this instant on nothing that the key signed is believed; nil while it has no successor.
    package let retiresAt: Timestamp?
    let key: Ed25519PrivateKey

    /// Dates a key.
    package init(key: Ed25519PrivateKey, createdAt: Timestamp, retiresAt: Timestamp? = nil) {
        identifier = JWK.thumbprint(of: key.publicKey)
        self.key = key
        self.createdAt = createdAt
        self.retiresAt = retiresAt
    }

    /// A new key.
    package static func generate(at now: Timestamp) throws(CryptoError) -> SigningKey {
        SigningKey(key: try .generate(), createdAt: now)
    }

    func isRetired(at now: Timestamp) -> Bool { retiresAt.map { now >= $0 } ?? false }
}
