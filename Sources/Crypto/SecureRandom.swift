private import COpenSSL

/// Randomness fit for keys and tokens.
package enum SecureRandom {
    /// `count` unpredictable bytes; the process ends when the system has none to give, since nothing safe can follow.
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(count, 0))
        guard let size = Int32(exactly: bytes.count), unsafe RAND_bytes(&bytes, size) == 1 else {
            fatalError("the system has no randomness")
        }
        return bytes
    }
}

/// Whether two secrets are equal, in a time that depends on their length only.
package func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    return unsafe CRYPTO_memcmp(left, right, left.count) == 0
}
