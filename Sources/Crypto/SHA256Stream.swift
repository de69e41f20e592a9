private import COpenSSL

/// SHA-256 of a text that comes in pieces; a copy goes on independently.
package struct SHA256Stream: Sendable {
    private var context = DigestContext()

    /// The digest of nothing so far.
    package init() {}

    /// Adds the next piece.
    package mutating func update(_ bytes: [UInt8]) {
        if !isKnownUniquelyReferenced(&context) { context = DigestContext(copying: context) }
        context.update(bytes)
    }

    /// The digest of everything added so far; more may be added afterwards.
    package func finish() -> [UInt8] { DigestContext(copying: context).finish() }
}

/// Owns one `EVP_MD_CTX`; `SHA256Stream` never changes one that is shared.
@safe private final class DigestContext: Sendable {
    nonisolated(unsafe) private let context: OpaquePointer

    init() {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex2(context, Algorithms.sha256, nil) == 1
        else { outOfMemory() }
        unsafe self.context = unsafe context
    }

    init(copying other: DigestContext) {
        guard let context = unsafe EVP_MD_CTX_new(), unsafe EVP_MD_CTX_copy_ex(context, other.context) == 1
        else { outOfMemory() }
        unsafe self.context = unsafe context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    func update(_ bytes: [UInt8]) {
        guard unsafe EVP_DigestUpdate(context, bytes, bytes.count) == 1 else { outOfMemory() }
    }

    func finish() -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        guard unsafe EVP_DigestFinal_ex(context, &result, nil) == 1 else { outOfMemory() }
        return result
    }
}
