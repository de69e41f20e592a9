private import Bytes
private import Crypto

/// What a sign-in is known by on its way to a provider and back: 256 random bits, of which only a hash is kept.
///
/// Nonce and verifier follow from it and from a salt that is kept beside the hash: neither the link in a browser's history
/// nor the database tells them alone.
package struct ProviderState: Sendable {
    /// Time to sign in at the provider, with a second factor and a forgotten password.
    package static let lifetime = Duration.seconds(600)
    /// Bytes of the salt.
    package static let saltLength = 32
    private static let secretLength = 32

    /// The text that the provider hands back.
    package let text: String

    /// A new state.
    package static func make() -> ProviderState {
        ProviderState(text: Base64.encodeURL(SecureRandom.bytes(secretLength)))
    }

    /// A new salt.
    package static func makeSalt() -> [UInt8] { SecureRandom.bytes(saltLength) }

    /// The state that came back; nil when it has not the form of one.
    package static func parse(_ text: String) -> ProviderState? {
        Base64.decodeURL(text)?.count == secretLength ? ProviderState(text: text) : nil
    }

    /// What the store keeps.
    package var hash: [UInt8] { Digest.sha256([UInt8](text.utf8)) }

    /// What binds the ID token to this sign-in.
    package func nonce(salt: [UInt8]) -> String { derive("nonce", salt) }

    /// What binds the provider's code to this sign-in.
    package func verifier(salt: [UInt8]) -> String { derive("verifier", salt) }

    private func derive(_ use: String, _ salt: [UInt8]) -> String {
        Base64.encodeURL(Digest.hmacSHA256(key: salt, [UInt8]("errand \(use) \(text)".utf8)))
    }
}

/// A one-use code for the tokens of a sign-in that a provider has proved: 256 random bits, kept as a hash.
package struct ProviderCode: Sendable {
    /// Time for a browser to come back, and no more.
    package static let lifetime = Duration.seconds(60)

    private static let prefix = "eoc_"
    private static let secretLength = 32

    /// The text in the redirect.
    package let text: String

    /// A new code.
    package static func make() -> ProviderCode {
        ProviderCode(text: prefix + Base64.encodeURL(SecureRandom.bytes(secretLength)))
    }

    /// The code that a client presents; nil when it has not the form of one.
    package static func parse(_ text: String) -> ProviderCode? {
        guard text.hasPrefix(prefix), Base64.decodeURL(text.dropFirst(prefix.count))?.count == secretLength else {
            return nil
        }
        return ProviderCode(text: text)
    }

    /// What the store keeps.
    package var hash: [UInt8] { Digest.sha256([UInt8](text.utf8)) }
}
