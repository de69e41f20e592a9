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

    /// The same for a signature as tokens carry it: r and s, each as long as a coordinate.
    package func verifies(joined signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == 2 * Self.coordinateLength else { return false }
        let pair = [signature.prefix(Self.coordinateLength), signature.suffix(Self.coordinateLength)]
        // DER knows only the shortest form; a zero is no part of any signature.
        let shortest = pair.map { $0.drop { $0 == 0 } }
        guard shortest.allSatisfy({ !$0.isEmpty }) else { return false }
        let der = DER.sequence(shortest.flatMap { DER.integer([UInt8]($0)) })
        return key.verifiesSHA256(signature: der, of: message)
    }
}

/// An RSA key that verifies signatures over SHA-256: PKCS #1 v1.5 (RS256) and PSS (PS256).
package final class RSAPublicKey: Sendable {
    /// Bytes of a modulus: 2048 bits are the least that is safe, 4096 the most that anybody has.
    package static let modulusLengths = 256...512
    private static let stage = "RSA public key"

    private let key: SubjectPublicKey
    private let length: Int

    /// The key of a modulus and an exponent, both in their shortest big-endian form.
    package init(modulus: [UInt8], exponent: [UInt8]) throws(CryptoError) {
        guard Self.modulusLengths.contains(modulus.count), let first = modulus.first, first != 0,
            modulus.count > Self.modulusLengths.lowerBound || first & 0x80 != 0, let last = modulus.last, last & 1 == 1,
            Self.isSound(exponent), !Self.isGuessable(modulus)
        else { throw CryptoError(stage: Self.stage, reason: .invalidKey) }
        let pair = DER.sequence(DER.integer(modulus) + DER.integer(exponent))
        // rsaEncryption with its NULL parameters.
        let algorithm: [UInt8] = [
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
        ]
        key = try SubjectPublicKey(der: DER.sequence(algorithm + DER.bitString(pair)), stage: Self.stage)
        length = modulus.count
    }

    /// Whether `signature` is this key's signature of `message` after PKCS #1 v1.5.
    package func verifies(signature: [UInt8], of message: [UInt8]) -> Bool {
        signature.count == length && key.verifiesSHA256(signature: signature, of: message)
    }

    /// Whether `signature` is this key's PSS signature of `message`, with a salt as long as the digest.
    package func verifies(pss signature: [UInt8], of message: [UInt8]) -> Bool {
        signature.count == length && key.verifiesSHA256(signature: signature, of: message, isPSS: true)
    }

    /// Odd, from 65537 up to four bytes: larger ones only make verification slow.
    private static func isSound(_ exponent: [UInt8]) -> Bool {
        guard exponent.count <= 4, let first = exponent.first, first != 0 else { return false }
        let value = exponent.reduce(0) { $0 << 8 | UInt64($1) }
        return value >= 65_537 && value & 1 == 1
    }

    /// Whether a modulus was made by the chips of CVE-2017-15361 (ROCA), whose keys can be factored: modulo every small
    /// prime it is a power of 65537, as one of another maker is by a chance of one to 2^27.
    private static func isGuessable(_ modulus: [UInt8]) -> Bool {
        smallPrimes.allSatisfy { prime in
            let rest = modulus.reduce(0) { ($0 << 8 | UInt32($1)) % prime }
            var power: UInt32 = 1
            repeat {
                if power == rest { return true }
                power = power * (65_537 % prime) % prime
            } while power != 1
            return false
        }
    }

    /// The odd primes whose product divides what those chips began with, for keys of 512 bits and more.
    private static let smallPrimes: [UInt32] = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
        113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ]
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

    func verifiesSHA256(signature: [UInt8], of message: [UInt8], isPSS: Bool = false) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { outOfMemory() }
        defer { unsafe EVP_MD_CTX_free(context) }
        // Owned by the context.
        var settings: OpaquePointer?
        guard unsafe EVP_DigestVerifyInit(context, &settings, Algorithms.sha256, nil, key) == 1,
            unsafe !isPSS || Self.setPSS(settings)
        else {
            ERR_clear_error()
            return false
        }
        let verdict = unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count)
        // What is left in the error queue would confuse the TLS calls of the same loop.
        if verdict != 1 { ERR_clear_error() }
        return verdict == 1
    }

    private static func setPSS(_ settings: OpaquePointer?) -> Bool {
        unsafe EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) == 1
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) == 1
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
