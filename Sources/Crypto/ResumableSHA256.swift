private import COpenSSL

/// SHA-256 of a text that comes in pieces, whose state can be kept on disk and taken up again by another process.
package struct ResumableSHA256: Sendable {
    /// The length of a saved state.
    package static let stateLength = MemoryLayout<SHA256_CTX>.size

    private var context: SHA256_CTX

    /// The digest of nothing so far.
    package init() {
        var context = SHA256_CTX()
        guard unsafe SHA256_Init(&context) == 1 else { outOfMemory() }
        self.context = context
    }

    /// Takes up a saved state; nil when it cannot be one.
    ///
    /// A state belongs to the machine that saved it: it is neither portable nor protected against an attacker.
    package init?(state: [UInt8]) {
        guard state.count == Self.stateLength else { return nil }
        var context = SHA256_CTX()
        unsafe withUnsafeMutableBytes(of: &context) { unsafe $0.copyBytes(from: state) }
        // OpenSSL indexes its block by `num` and writes `md_len` bytes.
        guard context.num < 64, context.md_len == 32 else { return nil }
        self.context = context
    }

    /// The state after everything added so far.
    package var state: [UInt8] { unsafe withUnsafeBytes(of: context) { unsafe Array($0) } }

    /// Adds the next piece.
    package mutating func update(_ bytes: [UInt8]) {
        guard unsafe SHA256_Update(&context, bytes, bytes.count) == 1 else { outOfMemory() }
    }

    /// The digest of everything added so far; more may be added afterwards.
    package func finish() -> [UInt8] {
        var copy = context
        var result = [UInt8](repeating: 0, count: 32)
        guard unsafe SHA256_Final(&result, &copy) == 1 else { outOfMemory() }
        return result
    }
}
