package import Bytes

/// A sealed secret with the place that it belongs to.
package struct StoredSecret: Sendable, Equatable {
    package var place: SecretPlace
    package var sealed: [UInt8]

    /// Pairs a secret with its place.
    package init(place: SecretPlace, sealed: [UInt8]) {
        self.place = place
        self.sealed = sealed
    }
}

/// One secret with its new wrap.
package struct RewrappedSecret: Sendable, Equatable {
    package var place: SecretPlace
    /// What was read; when it is no longer what is stored, nothing is written.
    package var old: [UInt8]
    package var new: [UInt8]

    /// Describes the change.
    package init(place: SecretPlace, old: [UInt8], new: [UInt8]) {
        self.place = place
        self.old = old
        self.new = new
    }
}

/// A master key that the database knows, and how much needs it.
package struct MasterKeyUse: Sendable, Equatable {
    package var id: MasterKeyID
    package var registeredAt: Timestamp
    /// Secrets that this key alone opens.
    package var secrets: Int

    /// Describes the use of a key.
    package init(id: MasterKeyID, registeredAt: Timestamp, secrets: Int) {
        self.id = id
        self.registeredAt = registeredAt
        self.secrets = secrets
    }
}

/// Sealed secrets and the names of their master keys, kept durably; nothing here can open one.
package protocol SecretStore: AnyObject {
    /// Registers the newest key of a ring; answers with the registered keys that the ring lacks, and then did nothing.
    func register(_ newest: MasterKeyID, of ring: [MasterKeyID]) async throws(StoreError) -> [MasterKeyID]
    /// The same for a rotation, recorded: false when the key was registered before.
    func adopt(_ newest: MasterKeyID, audit: AuditDraft) async throws(StoreError) -> Bool
    /// All registered keys, oldest first.
    func masterKeys() async throws(StoreError) -> [MasterKeyUse]
    /// Secrets that a key opens, by place, after one.
    func secrets(under key: MasterKeyID, after place: String, limit: Int) async throws(StoreError) -> [StoredSecret]
    /// Writes new wraps in one commit; answers with the number that were still as they had been read.
    func rewrap(_ secrets: [RewrappedSecret]) async throws(StoreError) -> Int
    /// Forgets a key that no secret needs; false when one does, or when it is unknown.
    func forget(_ key: MasterKeyID) async throws(StoreError) -> Bool
}
