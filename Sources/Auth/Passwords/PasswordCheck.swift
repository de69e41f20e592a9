package import Crypto

/// Hashes and checks of account passwords at the standard cost; they take long, so never call them on a loop.
package enum PasswordCheck {
    /// Checked in place of an unknown account's hash, so that the answer takes as long.
    package static let decoy = PasswordHash.unmatchable(.standard)

    /// What is stored for an account that has no password: a hash that none has, which costs as much to try as any.
    package static func unmatchable() -> String { PasswordHash.unmatchable(.standard) }

    /// The hash to store for a password.
    package static func hash(_ password: String) throws(CryptoError) -> String {
        let salt = SecureRandom.bytes(PasswordHash.saltLength)
        return try PasswordHash.make(password: [UInt8](password.utf8), salt: salt, .standard)
    }

    /// Whether the password is the one that was hashed; an error says that the stored hash is unusable or memory short.
    package static func matches(_ password: String, _ stored: String) throws(CryptoError) -> Bool {
        try PasswordHash.verify(password: [UInt8](password.utf8), phc: stored)
    }

    /// Whether the password opens the account; a stored hash that is malformed, or that must not be computed because of what
    /// it would cost, opens nothing, after the work of a good one.
    package static func admits(_ password: String, _ stored: String) throws(CryptoError) -> Bool {
        do throws(CryptoError) {
            return try matches(password, stored)
        } catch {
            guard error.reason == .malformedHash || error.reason == .invalidParameters else { throw error }
            _ = try matches(password, decoy)
            return false
        }
    }

    /// Whether a hash that just matched should be made anew, because the standard cost has changed.
    package static func needsRehash(_ stored: String) -> Bool { PasswordHash.needsRehash(stored, .standard) }
}
