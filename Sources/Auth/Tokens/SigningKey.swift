package import Bytes
package import Crypto

/// A key that signs access tokens, with the time in which it is believed.
package struct SigningKey: Sendable {
    /// The key's RFC 7638 thumbprint, by which tokens name it.
    package let identifier: String
    /// When the key was made.
    package let createdAt: Timestamp
    /// From this instant on it signs: until then only its public half is handed out, so that everybody knows it in time.
    package let signsFrom: Timestamp
    /// From this instant on nothing that the key signed is believed; nil while it has no successor.
    package let retiresAt: Timestamp?
    let key: Ed25519PrivateKey

    /// Dates a key.
    package init(
        key: Ed25519PrivateKey,
        createdAt: Timestamp,
        signsFrom: Timestamp? = nil,
        retiresAt: Timestamp? = nil
    ) {
        identifier = JWK.thumbprint(of: key.publicKey)
        self.key = key
        self.createdAt = createdAt
        self.signsFrom = signsFrom ?? createdAt
        self.retiresAt = retiresAt
    }

    /// A new key that signs from `signsFrom` on.
    package static func generate(at now: Timestamp, signsFrom: Timestamp? = nil) throws(CryptoError) -> SigningKey {
        SigningKey(key: try .generate(), createdAt: now, signsFrom: signsFrom)
    }

    func isRetired(at now: Timestamp) -> Bool { retiresAt.map { now >= $0 } ?? false }
}

/// How long signing keys take to come and to go.
package enum SigningKeyTimes {
    /// How long others may keep a key set, as its answer says.
    package static let publicationAge = Duration.seconds(300)
    /// How long a new key is handed out before it signs: twice that, so that nobody meets a token by an unknown key.
    package static let publishingDelay = Duration.seconds(600)
}
