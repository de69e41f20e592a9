private import Bytes
private import Crypto

/// The secret of an API key: `errand_`, 43 characters of base62 that hold 256 random bits, and 6 of their CRC-32.
///
/// Scanners of source code know it by its beginning and prove it by its end; a mistyped one is refused without a query.
package struct APIKeyToken: Sendable {
    /// What every key begins with.
    package static let prefix = "errand_"
    /// Characters of a whole key.
    package static let length = prefix.utf8.count + secretCharacters + checkCharacters

    private static let secretLength = 32
    /// 62^43 is the first power above 2^256.
    private static let secretCharacters = 43
    /// 62^6 is the first power above 2^32.
    private static let checkCharacters = 6
    /// Characters of the secret that are shown ever after: 24 of its 256 bits.
    private static let hintCharacters = 4

    /// The text that the client keeps.
    package let token: String

    /// A new key.
    package static func make() -> APIKeyToken { APIKeyToken(secret: SecureRandom.bytes(secretLength)) }

    /// The key that a client presents, or nil when it has not the form of one or its checksum is wrong.
    package static func parse(_ text: String) -> APIKeyToken? {
        guard text.utf8.count == length, text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count)
        guard let secret = Base62.decode(digits.prefix(secretCharacters), count: secretLength) else { return nil }
        let key = APIKeyToken(secret: secret)
        return key.token == text ? key : nil
    }

    private init(secret: [UInt8]) {
        let digits = Self.digits(secret, Self.secretCharacters)
        let check = crc32(digits.utf8)
        let checkBytes = (0..<4).map { UInt8(truncatingIfNeeded: check >> (24 - 8 * $0)) }
        token = Self.prefix + digits + Self.digits(checkBytes, Self.checkCharacters)
    }

    /// What the store keeps; a slow hash would add nothing to 256 random bits.
    package var hash: [UInt8] { Digest.sha256([UInt8](token.utf8)) }

    /// The beginning, by which people tell keys apart.
    package var hint: String { String(token.prefix(Self.prefix.count + Self.hintCharacters)) }

    private static func digits(_ bytes: [UInt8], _ count: Int) -> String {
        guard let digits = Base62.encode(bytes, length: count) else {
            preconditionFailure("\(count) digits hold \(bytes.count) bytes")
        }
        return digits
    }
}
