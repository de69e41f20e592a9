import Auth
import Operations
import Platform

/// The file of keys that sign access tokens.
enum SigningKeys {
    /// Reads the key set, and makes the first one when there is none yet.
    static func load(_ configuration: Configuration) throws -> SigningKeySet {
        let path = configuration.signingKeys ?? configuration.dataDirectory + "/secrets/signing-keys.json"
        guard Files.exists(path) else {
            let first = try SigningKeySet(firstKeyAt: WallClock.now())
            try Files.writeAtomically(path, first.document(), mode: 0o600)
            return first
        }
        return try SigningKeySet(document: try Files.readAll(path, limit: 1 << 20))
    }
}
