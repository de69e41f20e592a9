import Bytes
import Core

extension APIKey {
    /// The columns that `init(_:)` reads.
    static let columns = """
        k.id, k.team_id, k.name, k.hint, k.issued_by, k.service_account_id, array_to_string(k.scopes, ' '), \
        k.project_ids, k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.replaced_by
        """

    /// Reads `columns`; a scope of a later version is one that this one does not give.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            team: try row.value(),
            name: try row.value(),
            hint: try row.value(),
            issuedBy: try row.value(),
            serviceAccount: try row.optional(),
            scopes: Set(try row.value(String.self).split(separator: " ").compactMap { KeyScope(rawValue: String($0)) }),
            projects: try row.optional(StoredIDs<ProjectNoun>.self)?.ids,
            createdAt: try row.value(),
            expiresAt: try row.optional()
        )
        lastUsedAt = try row.optional()
        revokedAt = try row.optional()
        replacedBy = try row.optional()
    }
}

extension ServiceAccount {
    /// The columns that `init(_:)` reads.
    static let columns = "s.id, s.team_id, s.name, s.role, s.created_by, s.created_at"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            team: try row.value(),
            name: try row.value(),
            role: try row.word(),
            createdBy: try row.value(),
            createdAt: try row.value()
        )
    }
}

/// A `uuid[]` in binary form: the number of dimensions, a mark for nulls, the element's type, then each dimension's
/// length and first index, then each element's length and bytes.
struct StoredIDs<N: Noun>: PostgresDecodable {
    let ids: [ID<N>]

    static func decode(_ bytes: UnsafeRawBufferPointer) -> StoredIDs? {
        let all = unsafe Array(bytes)
        func number(_ place: Int) -> Int? {
            guard place + 4 <= all.count else { return nil }
            return Int(all[place..<place + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
        }
        guard let dimensions = number(0), dimensions <= 1 else { return nil }
        guard dimensions == 1 else { return StoredIDs(ids: []) }
        guard let count = number(12), all.count == 20 + 20 * count else { return nil }
        var ids: [ID<N>] = []
        for index in 0..<count {
            let place = 20 + 20 * index
            guard number(place) == 16, let id = ID<N>(uuidBytes: all[place + 4..<place + 20]) else { return nil }
            ids.append(id)
        }
        return StoredIDs(ids: ids)
    }
}
