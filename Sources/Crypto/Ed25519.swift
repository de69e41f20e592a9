private import COpenSSL

/// A key that signs with Ed25519 (RFC 8032).
@safe package final class Ed25519PrivateKey: Sendable {
    /// The 32 secret bytes from which the key is derived.
    package let seed: [UInt8]
    /// The key that verifies what this one signs.
    package let publicKey: Ed25519PublicKey
    nonisolated(unsafe) private let key: OpaquePointer

    /// The key of a 32-byte seed.
    package init(seed: [UInt8]) throws(CryptoError) {
        guard seed.count == Ed25519PublicKey.length else {
            throw CryptoError(stage: "Ed25519 seed", reason: .invalidKey)
        }
        guard let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            throw refusal("Ed25519 seed", .failed)
        }
        var raw = [UInt8](repeating: 0, count: Ed25519PublicKey.length)
        var length = raw.count
        guard unsafe EVP_PKEY_get_raw_public_key(key, &raw, &length) == 1 else {
            unsafe EVP_PKEY_free(key)
            throw refusal("Ed25519 public key", .failed)
        }
        do throws(CryptoError) {
            publicKey = try Ed25519PublicKey(raw: raw)
        } catch {
            unsafe EVP_PKEY_free(key)
            throw error
        }
        self.seed = seed
        unsafe self.key = unsafe key
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// A new key from the system's randomness.
    package static func generate() throws(CryptoError) -> Ed25519PrivateKey {
        try Ed25519PrivateKey(seed: SecureRandom.bytes(Ed25519PublicKey.length))
    }

    /// The 64-byte signature of `message`.
    package func sign(_ message: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard let context = unsafe EVP_MD_CTX_new() else { outOfMemory() }
        defer { unsafe EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: Ed25519PublicKey.signatureLength)
        var length = signature.count
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1, length == signature.count
        else { throw refusal("Ed25519 signature", .failed) }
        return signature
    }
}

/// A key that verifies Ed25519 signatures.
@safe package final class Ed25519PublicKey: Sendable {
    /// Bytes of a public key and of a seed.
    package static let length = 32
    /// Bytes of a signature.
    package static let signatureLength = 64

    /// The 32 bytes of the key.
    package let raw: [UInt8]
    nonisolated(unsafe) private let key: OpaquePointer

    /// The key of 32 bytes.
    package init(raw: [UInt8]) throws(CryptoError) {
        guard raw.count == Self.length else { throw CryptoError(stage: "Ed25519 public key", reason: .invalidKey) }
        guard let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, raw, raw.count) else {
            throw refusal("Ed25519 public key", .invalidKey)
        }
        self.raw = raw
        unsafe self.key = unsafe key
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Whether `signature` is this key's signature of `message`.
    package func verifies(signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == Self.signatureLength else { return false }
        guard let context = unsafe EVP_MD_CTX_new() else { outOfMemory() }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
        let verdict = unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count)
        // What is left in the error queue would confuse the TLS calls of the same loop.
        if verdict != 1 { ERR_clear_error() }
        return verdict == 1
    }
}
