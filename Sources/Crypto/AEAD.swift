private import COpenSSL

/// Authenticated encryption with AES-256-GCM; a sealed text is the ciphertext followed by its 16-byte tag.
package enum AEAD {
    /// Bytes of a key.
    package static let keyLength = 32
    /// Bytes of a nonce, which must never repeat under one key.
    package static let nonceLength = 12
    /// Bytes by which a sealed text is longer than its plain text.
    package static let tagLength = 16

    /// Encrypts `plain` and binds `associated` to it.
    package static func seal(
        _ plain: [UInt8],
        key: [UInt8],
        nonce: [UInt8],
        associated: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        let cipher = try Cipher(stage: "AES-256-GCM seal", key: key, nonce: nonce, encrypts: true)
        try cipher.associate(associated)
        return try cipher.transform(plain) + cipher.tag()
    }

    /// Decrypts what `seal` made with the same key, nonce and associated bytes; anything else is refused.
    package static func open(
        _ sealed: [UInt8],
        key: [UInt8],
        nonce: [UInt8],
        associated: [UInt8]
    ) throws(CryptoError) -> [UInt8] {
        let stage = "AES-256-GCM open"
        guard sealed.count >= tagLength else { throw CryptoError(stage: stage, reason: .notAuthentic) }
        let cipher = try Cipher(stage: stage, key: key, nonce: nonce, encrypts: false)
        try cipher.associate(associated)
        let plain = try cipher.transform([UInt8](sealed.dropLast(tagLength)))
        try cipher.check(tag: [UInt8](sealed.suffix(tagLength)))
        return plain
    }
}

/// Owns one `EVP_CIPHER_CTX` for one text.
@safe private final class Cipher {
    private let context: OpaquePointer
    private let stage: String

    init(stage: String, key: [UInt8], nonce: [UInt8], encrypts: Bool) throws(CryptoError) {
        guard key.count == AEAD.keyLength else { throw CryptoError(stage: stage, reason: .invalidKey) }
        guard nonce.count == AEAD.nonceLength else { throw CryptoError(stage: stage, reason: .invalidNonce) }
        guard let context = unsafe EVP_CIPHER_CTX_new() else { outOfMemory() }
        unsafe self.context = unsafe context
        self.stage = stage
        let begun = unsafe EVP_CipherInit_ex2(context, Algorithms.aes256GCM, key, nonce, encrypts ? 1 : 0, nil)
        guard begun == 1 else { throw failure() }
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    func associate(_ bytes: [UInt8]) throws(CryptoError) {
        guard !bytes.isEmpty else { return }
        var written: Int32 = 0
        guard let count = Int32(exactly: bytes.count),
            unsafe EVP_CipherUpdate(context, nil, &written, bytes, count) == 1
        else { throw failure() }
    }

    func transform(_ bytes: [UInt8]) throws(CryptoError) -> [UInt8] {
        guard !bytes.isEmpty else { return [] }
        var result = [UInt8](repeating: 0, count: bytes.count)
        var written: Int32 = 0
        guard let count = Int32(exactly: bytes.count),
            unsafe EVP_CipherUpdate(context, &result, &written, bytes, count) == 1, written == count
        else { throw failure() }
        return result
    }

    func tag() throws(CryptoError) -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: AEAD.tagLength)
        guard finish() == 1,
            unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(AEAD.tagLength), &tag) == 1
        else { throw failure() }
        return tag
    }

    func check(tag: [UInt8]) throws(CryptoError) {
        var tag = tag
        guard unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tag.count), &tag) == 1 else {
            throw failure()
        }
        guard finish() == 1 else { throw failure(.notAuthentic) }
    }

    private func finish() -> Int32 {
        var rest = [UInt8](repeating: 0, count: AEAD.tagLength)
        var written: Int32 = 0
        return unsafe EVP_CipherFinal_ex(context, &rest, &written)
    }

    private func failure(_ reason: CryptoError.Reason = .failed) -> CryptoError { refusal(stage, reason) }
}
