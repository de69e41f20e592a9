import Crypto

/// The codes of an authenticator application, worked out from RFC 4226.
enum OneTimeCode {
    /// The code of a step of thirty seconds.
    static func of(_ secret: [UInt8], step: Int64) -> String {
        let mac = Digest.hmacSHA1(key: secret, (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - 8 * $0)) })
        let start = Int(mac[19] & 15)
        let number = mac[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } & 0x7fff_ffff
        return String(String(1_000_000 + number % 1_000_000).dropFirst())
    }
}
