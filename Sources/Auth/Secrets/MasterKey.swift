package import Bytes
package import Core
import Crypto

/// A key that wraps the keys of secrets; it never leaves its file and the memory of the API.
package struct MasterKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// The name that sealed secrets carry.
    package let id: MasterKeyID
    /// When the key was made.
    package let createdAt: Timestamp
    let bytes: [UInt8]

    /// Dates the bytes of a key; nil when they are not as many as a key has.
    init?(_ bytes: [UInt8], createdAt: Timestamp) {
        // A fingerprint under the key itself: who has the key file of another installation learns it at once.
        let mark = Digest.hmacSHA256(key: bytes, [UInt8]("errand master key 1".utf8))
        guard bytes.count == AEAD.keyLength, let id = MasterKeyID(mark.prefix(MasterKeyID.length)) else { return nil }
        self.id = id
        self.bytes = bytes
        self.createdAt = createdAt
    }

    /// A new key.
    static func generate(at now: Timestamp) -> MasterKey {
        guard let key = MasterKey(SecureRandom.bytes(AEAD.keyLength), createdAt: now) else {
            preconditionFailure("a key of the right length has a name")
        }
        return key
    }

    package var description: String { "MasterKey(\(id))" }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
