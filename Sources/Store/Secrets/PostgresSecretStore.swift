import Bytes
import Core

/// Sealed secrets in PostgreSQL.
final class PostgresSecretStore: SecretStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func register(_ newest: MasterKeyID, of ring: [MasterKeyID]) async throws(StoreError) -> [MasterKeyID] {
        let values: [PostgresValue] = [.bytes(newest.bytes), .array(.bytes, ring.map { .bytes($0.bytes) })]
        return try await pool.run(.system, SecretStatements.register(values)).rows { row throws(StoreError) in
            try MasterKeyID(&row)
        }
    }

    func adopt(_ newest: MasterKeyID, audit: AuditDraft) async throws(StoreError) -> Bool {
        let values = [.bytes(newest.bytes)] + AuditStatements.values([audit])
        return try await pool.run(.system, SecretStatements.adopt(values)).count > 0
    }

    func masterKeys() async throws(StoreError) -> [MasterKeyUse] {
        try await pool.run(.system, SecretStatements.masterKeys()).rows { row throws(StoreError) in
            MasterKeyUse(
                id: try MasterKeyID(&row),
                registeredAt: try row.value(),
                secrets: Int(try row.value(Int64.self))
            )
        }
    }

    func secrets(
        under key: MasterKeyID,
        after place: String,
        limit: Int
    ) async throws(StoreError) -> [StoredSecret] {
        let values: [PostgresValue] = [.bytes(key.bytes), .text(place), .integer(limit)]
        return try await pool.run(.system, SecretStatements.under(values)).rows { row throws(StoreError) in
            StoredSecret(place: try SecretPlace(&row), sealed: try row.value())
        }
    }

    func rewrap(_ secrets: [RewrappedSecret]) async throws(StoreError) -> Int {
        let values: [PostgresValue] = [
            .array(.text, secrets.map { .text($0.place.description) }), .array(.bytes, secrets.map { .bytes($0.old) }),
            .array(.bytes, secrets.map { .bytes($0.new) }),
        ]
        return try await pool.run(.system, SecretStatements.rewrap(values)).affected
    }

    func forget(_ key: MasterKeyID) async throws(StoreError) -> Bool {
        do throws(StoreError) {
            return try await pool.run(.system, SecretStatements.forget([.bytes(key.bytes)])).affected > 0
        } catch .conflict(field: "master_key") {
            return false
        }
    }
}

extension MasterKeyID {
    /// Reads an identifier.
    init(_ row: inout PostgresRow) throws(StoreError) {
        guard let id = MasterKeyID(try row.value([UInt8].self)) else {
            throw .failed(stage: "master key: no identifier", sqlState: "22000")
        }
        self = id
    }
}

extension SecretPlace {
    /// Reads a place.
    init(_ row: inout PostgresRow) throws(StoreError) {
        guard let place = SecretPlace(try row.value(String.self)) else {
            throw .failed(stage: "secret: no place", sqlState: "22000")
        }
        self = place
    }
}
