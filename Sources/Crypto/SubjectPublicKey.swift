private import COpenSSL

/// A P-256 key that verifies ECDSA signatures over SHA-256 (ES256).
package final class P256PublicKey: Sendable {
    /// Bytes of a coordinate.
    package static let coordinateLength = 32
    private static let stage = "P-256 public key"
    /// A SubjectPublicKeyInfo up to the point: id-ecPublicKey, prime256v1, an uncompressed point of 65 bytes.
    private static let prefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]

    private let key: SubjectPublicKey

    /// The key at a point, which must lie on the curve.
    package init(x: [UInt8], y: [UInt8]) throws(CryptoError) {
        guard x.count == Self.coordinateLength, y.count == Self.coordinateLength else {
            throw CryptoError(stage: Self.stage, reason: .invalidKey)
        }
        key = try SubjectPublicKey(der: Self.prefix + x + y, stage: Self.stage)
    }

    /// Whether a signature in DER is this key's signature of `message`.
    package func verifies(signature: [UInt8], of message: [UInt8]) -> Bool {
        key.verifiesSHA256(signature: signature, of: message)
    }
}

/// An RSA key that verifies PKCS #1 v1.5 signatures over SHA-256 (RS256).
package final class RSAPublicKey: Sendable {
    /// Bytes of a modulus: 2048 bits are the least that is safe, 4096 the most that anybody has.
    package static let modulusLengths = 256...512
    private static let stage = "RSA public key"

    private let key: SubjectPublicKey
    private let length: Int

    /// The key of a modulus and an exponent, both in their shortest big-endian form.
    package init(modulus: [UInt8], exponent: [UInt8]) throws(CryptoError) {
        guard Self.modulusLengths.contains(modulus.count), let first = modulus.first, first != 0,
            let last = modulus.last, last & 1 == 1, Self.isSound(exponent)
        else { throw CryptoError(stage: Self.stage, reason: .invalidKey) }
        let pair = DER.sequence(DER.integer(modulus) + DER.integer(exponent))
        // rsaEncryption with its NULL parameters.
        let algorithm: [UInt8] = [
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
        ]
        key = try SubjectPublicKey(der: DER.sequence(algorithm + DER.bitString(pair)), stage: Self.stage)
        length = modulus.count
    }

    /// Whether `signature` is this key's signature of `message`.
    package func verifies(signature: [UInt8], of message: [UInt8]) -> Bool {
        signature.count == length && key.verifiesSHA256(signature: signature, of: message)
    }

    /// Odd, from 65537 up to four bytes: larger ones only make verification slow.
    private static func isSound(_ exponent: [UInt8]) -> Bool {
        guard exponent.count <= 4, let first = exponent.first, first != 0 else { return false }
        let value = exponent.reduce(0) { $0 << 8 | UInt64($1) }
        return value >= 65_537 && value & 1 == 1
    }
}

/// Owns one `EVP_PKEY` read from a SubjectPublicKeyInfo.
@safe private final class SubjectPublicKey: Sendable {
    nonisolated(unsafe) private let key: OpaquePointer

    init(der: [UInt8], stage: String) throws(CryptoError) {
        let parsed = unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var position = buffer.baseAddress
            return unsafe d2i_PUBKEY(nil, &position, buffer.count)
        }
        guard let key = unsafe parsed else { throw refusal(stage, .invalidKey) }
        unsafe self.key = unsafe key
    }

    deinit { unsafe EVP_PKEY_free(key) }

    func verifiesSHA256(signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { outOfMemory() }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, Algorithms.sha256, nil, key) == 1 else {
            ERR_clear_error()
            return false
        }
        let verdict = unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count)
        // What is left in the error queue would confuse the TLS calls of the same loop.
        if verdict != 1 { ERR_clear_error() }
        return verdict == 1
    }
}

/// As much of DER as a public key takes.
private enum DER {
    static func sequence(_ content: [UInt8]) -> [UInt8] { element(0x30, content) }

    static func bitString(_ content: [UInt8]) -> [UInt8] { element(0x03, [0] + content) }

    /// A positive integer; a set high bit would make it negative.
    static func integer(_ magnitude: [UInt8]) -> [UInt8] {
        element(0x02, ((magnitude.first ?? 0) & 0x80 == 0 ? [] : [0]) + magnitude)
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        let head = content.count < 0x80 ? [UInt8(content.count)] : [0x80 | UInt8(length.count)] + length
        return [tag] + head + content
    }
}
