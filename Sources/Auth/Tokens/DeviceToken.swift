package import Bytes
private import Crypto

/// A device from which an account was signed in to before.
package struct KnownDevice: Sendable, Equatable {
    /// SHA-256 of the account's address.
    package let account: [UInt8]
    /// The device's own number, 16 bytes.
    package let device: [UInt8]

    /// Names a device of an account.
    package init(account: [UInt8], device: [UInt8]) {
        self.account = account
        self.device = device
    }

    /// A device that is seen for the first time.
    package static func make(account: [UInt8]) -> KnownDevice {
        KnownDevice(account: account, device: SecureRandom.bytes(16))
    }
}

/// What a device shows to be known when it signs in again; it opens nothing, and only keeps strangers from making it wait.
///
/// It is made and checked without asking anybody, so that a flood of wrong ones costs no query: HMAC-SHA256 under a key
/// that stands beside those that sign tokens, and outlives their rotations.
package final class DeviceTokens: Sendable {
    /// How long a device is known without signing in.
    package static let lifetime = Duration.seconds(90 * 86_400)
    /// The request's header field.
    package static let field = "errand-device"

    private static let prefix = "erd_"
    private static let accountLength = 32
    private static let bodyLength = accountLength + 16 + 8

    /// The first makes tokens, all know them.
    private let keys: [[UInt8]]

    /// Tokens under the devices' keys of a set.
    package init(_ set: SigningKeySet) {
        keys = set.deviceKeys
    }

    /// The token of a device that has just signed in.
    package func make(_ known: KnownDevice, now: Timestamp) -> String {
        let end = UInt64(clamping: now.adding(Self.lifetime).milliseconds / 1_000)
        let body = known.account + known.device + (0..<8).map { UInt8(truncatingIfNeeded: end >> (56 - 8 * $0)) }
        return Self.prefix + Base64.encodeURL(body + Digest.hmacSHA256(key: keys[0], body))
    }

    /// The device of a token that holds now; nil for any other text.
    package func read(_ text: String, now: Timestamp) -> KnownDevice? {
        guard text.hasPrefix(Self.prefix), text.utf8.count <= 128,
            let bytes = Base64.decodeURL(text.dropFirst(Self.prefix.count)), bytes.count == Self.bodyLength + 32
        else { return nil }
        let body = Array(bytes[..<Self.bodyLength])
        let code = Array(bytes[Self.bodyLength...])
        guard keys.contains(where: { constantTimeEqual(code, Digest.hmacSHA256(key: $0, body)) }) else { return nil }
        let end = body.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard now.milliseconds / 1_000 < Int64(clamping: end) else { return nil }
        return KnownDevice(
            account: Array(body[..<Self.accountLength]),
            device: Array(body[Self.accountLength..<(Self.accountLength + 16)])
        )
    }
}
