/// Passwords that are known to have leaked, by their SHA-1, in which form such lists are handed on.
package protocol BreachedPasswords: Sendable {
    /// Whether a password with this SHA-1 has leaked; it may block, so never call it on a loop.
    func contains(sha1 digest: [UInt8]) throws -> Bool
}
