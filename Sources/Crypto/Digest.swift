private import COpenSSL

/// Digests and message authentication codes of whole texts.
package enum Digest {
    /// The 32 bytes of SHA-256.
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { unsafe digest(bytes, Algorithms.sha256, length: 32) }

    /// The 64 bytes of SHA-512.
    package static func sha512(_ bytes: [UInt8]) -> [UInt8] { unsafe digest(bytes, Algorithms.sha512, length: 64) }

    /// The 20 bytes of SHA-1, for protocols that fix it (WebSocket, TOTP) and for nothing else.
    package static func sha1(_ bytes: [UInt8]) -> [UInt8] { unsafe digest(bytes, Algorithms.sha1, length: 20) }

    /// The 32 bytes of HMAC with SHA-256.
    package static func hmacSHA256(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        unsafe hmac(key, bytes, Algorithms.sha256, length: 32)
    }

    /// The 20 bytes of HMAC with SHA-1, for TOTP.
    package static func hmacSHA1(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        unsafe hmac(key, bytes, Algorithms.sha1, length: 20)
    }

    /// The 64 bytes of HMAC with SHA-512.
    package static func hmacSHA512(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        unsafe hmac(key, bytes, Algorithms.sha512, length: 64)
    }

    private static func digest(_ bytes: [UInt8], _ algorithm: OpaquePointer, length: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: length)
        guard unsafe EVP_Digest(bytes, bytes.count, &result, nil, algorithm, nil) == 1 else { outOfMemory() }
        return result
    }

    private static func hmac(_ key: [UInt8], _ bytes: [UInt8], _ algorithm: OpaquePointer, length: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: length)
        guard let size = Int32(exactly: key.count),
            unsafe HMAC(algorithm, key, size, bytes, bytes.count, &result, nil) != nil
        else { outOfMemory() }
        return result
    }
}

/// Algorithms looked up once: a look-up for every digest costs more than the digest of a short text.
enum Algorithms {
    nonisolated(unsafe) static let sha256 = unsafe fetched(EVP_MD_fetch(nil, "SHA256", nil), "SHA-256")
    nonisolated(unsafe) static let sha512 = unsafe fetched(EVP_MD_fetch(nil, "SHA512", nil), "SHA-512")
    nonisolated(unsafe) static let sha1 = unsafe fetched(EVP_MD_fetch(nil, "SHA1", nil), "SHA-1")
    nonisolated(unsafe) static let aes256GCM = unsafe fetched(EVP_CIPHER_fetch(nil, "AES-256-GCM", nil), "AES-256-GCM")

    private static func fetched(_ algorithm: OpaquePointer?, _ name: String) -> OpaquePointer {
        guard let algorithm = unsafe algorithm else { fatalError("OpenSSL offers no \(name)") }
        return unsafe algorithm
    }
}

/// OpenSSL's digests and contexts fail for want of memory only, which nothing here can survive.
func outOfMemory() -> Never { fatalError("OpenSSL: out of memory") }

/// An error of OpenSSL's, taken off this thread's error queue, where it would confuse the TLS calls of the same loop.
func refusal(_ stage: String, _ reason: CryptoError.Reason) -> CryptoError {
    ERR_clear_error()
    return CryptoError(stage: stage, reason: reason)
}
