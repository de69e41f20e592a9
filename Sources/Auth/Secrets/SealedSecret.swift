package import Core
import Crypto

/// A secret as it is stored: encrypted under a key of its own, which is wrapped by a master key.
///
/// | bytes | what |
/// |---|---|
/// | 1 | version, 1 |
/// | 8 | the master key's identifier |
/// | 12, 48 | nonce and wrap of the data key |
/// | 12, n + 16 | nonce and ciphertext with its tag |
///
/// Wrap and text are both bound to the secret's place, so that neither opens in another row. A rotation of master keys
/// makes a new wrap and leaves the text as it is.
package struct SealedSecret: Sendable, Equatable {
    /// What is stored.
    package let bytes: [UInt8]
    /// The master key that opens it.
    package let masterKey: MasterKeyID

    private static let version: UInt8 = 1
    private static let wrapLength = AEAD.nonceLength + AEAD.keyLength + AEAD.tagLength
    private static let headLength = 1 + MasterKeyID.length
    private static let textStart = headLength + wrapLength
    private static let shortest = textStart + AEAD.nonceLength + AEAD.tagLength

    /// Takes what was stored apart.
    package init(_ bytes: [UInt8]) throws(SealError) {
        guard let version = bytes.first else { throw .malformed }
        guard version == Self.version else { throw .unknownVersion(version) }
        guard (Self.shortest...Self.shortest + ClearSecret.limit).contains(bytes.count),
            let id = MasterKeyID(bytes[1..<Self.headLength])
        else { throw .malformed }
        self.bytes = bytes
        masterKey = id
    }

    /// Encrypts a secret for its place under the ring's current key.
    package static func seal(
        _ secret: ClearSecret,
        in place: SecretPlace,
        under ring: MasterKeyRing
    ) throws(SealError) -> SealedSecret {
        let plain = secret.reveal()
        guard plain.count <= ClearSecret.limit else { throw .tooLong }
        let dataKey = SecureRandom.bytes(AEAD.keyLength)
        let nonce = SecureRandom.bytes(AEAD.nonceLength)
        let text = try passing(.textNotAuthentic) { () throws(CryptoError) in
            try AEAD.seal(plain, key: dataKey, nonce: nonce, associated: binding("text", place))
        }
        let wrap = try wrap(dataKey, in: place, under: ring.current)
        return try SealedSecret([version] + ring.current.id.bytes + wrap + nonce + text)
    }

    /// Decrypts the secret of a place.
    package func open(in place: SecretPlace, with ring: MasterKeyRing) throws(SealError) -> ClearSecret {
        let dataKey = try dataKey(in: place, with: ring)
        let nonceEnd = Self.textStart + AEAD.nonceLength
        let plain = try Self.passing(.textNotAuthentic) { () throws(CryptoError) in
            try AEAD.open(
                [UInt8](bytes[nonceEnd...]),
                key: dataKey,
                nonce: [UInt8](bytes[Self.textStart..<nonceEnd]),
                associated: Self.binding("text", place)
            )
        }
        return ClearSecret(plain)
    }

    /// The same secret with its data key wrapped by the ring's current key; the text is not touched.
    package func rewrapped(in place: SecretPlace, under ring: MasterKeyRing) throws(SealError) -> SealedSecret {
        // A text that does not open must not be passed on as if it were whole.
        _ = try open(in: place, with: ring)
        let wrap = try Self.wrap(try dataKey(in: place, with: ring), in: place, under: ring.current)
        return try SealedSecret([Self.version] + ring.current.id.bytes + wrap + bytes[Self.textStart...])
    }

    private func dataKey(in place: SecretPlace, with ring: MasterKeyRing) throws(SealError) -> [UInt8] {
        guard let key = ring[masterKey] else { throw .unknownMasterKey(masterKey) }
        let nonceEnd = Self.headLength + AEAD.nonceLength
        return try Self.passing(.wrapNotAuthentic) { () throws(CryptoError) in
            try AEAD.open(
                [UInt8](bytes[nonceEnd..<Self.textStart]),
                key: key.bytes,
                nonce: [UInt8](bytes[Self.headLength..<nonceEnd]),
                associated: Self.binding("wrap", place) + key.id.bytes
            )
        }
    }

    private static func wrap(
        _ dataKey: [UInt8],
        in place: SecretPlace,
        under key: MasterKey
    ) throws(SealError) -> [UInt8] {
        let nonce = SecureRandom.bytes(AEAD.nonceLength)
        return nonce
            + (try passing(.wrapNotAuthentic) { () throws(CryptoError) in
                try AEAD.seal(
                    dataKey,
                    key: key.bytes,
                    nonce: nonce,
                    associated: binding("wrap", place) + key.id.bytes
                )
            })
    }

    /// What both halves are bound to: their use, the version and the place, each part with its length before it.
    private static func binding(_ use: String, _ place: SecretPlace) -> [UInt8] {
        ["errand sealed secret", use, place.table, place.row, place.column].reduce(into: [version]) { bytes, part in
            let text = [UInt8](part.utf8)
            bytes += [UInt8(truncatingIfNeeded: text.count >> 8), UInt8(truncatingIfNeeded: text.count)] + text
        }
    }

    private static func passing(
        _ refusal: SealError,
        _ body: () throws(CryptoError) -> [UInt8]
    ) throws(SealError) -> [UInt8] {
        do throws(CryptoError) {
            return try body()
        } catch {
            throw error.reason == .notAuthentic ? refusal : .failed(error)
        }
    }
}
