import Bytes
import Core

/// API keys and service accounts in PostgreSQL.
final class PostgresKeyStore: KeyStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func createKey(
        _ key: APIKey,
        hash: [UInt8],
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> KeyVerdict {
        let values: [PostgresValue] = [
            .id(key.id), .bytes(hash), .text(key.hint), .id(key.team), .id(key.issuedBy), .id(key.serviceAccount),
            .text(key.name), .array(.text, key.scopes.map(\.rawValue).sorted().map { .text($0) }),
            key.projects.map { .ids($0) } ?? .null, .time(key.createdAt), .time(key.expiresAt),
            .integer(APIKeyLimits.perTeam), .integer(APIKeyLimits.perPerson),
        ]
        return try await verdict(KeyStatements.createKey, values, scope, audit)
    }

    func keys(
        of team: TeamID,
        actingFor person: UserID?,
        before: APIKeyID?,
        limit: Int,
        scope: Scope
    ) async throws(StoreError) -> Page<APIKey> {
        let values: [PostgresValue] = [.id(team), .id(person), .id(before ?? .highest), .integer(limit + 1)]
        let found = try await pool.run(scope, KeyStatements.listKeys(values)).rows { row throws(StoreError) in
            try APIKey(&row)
        }
        return Page(items: Array(found.prefix(limit)), hasMore: found.count > limit)
    }

    func key(_ id: APIKeyID, of team: TeamID, scope: Scope) async throws(StoreError) -> APIKey? {
        try await pool.run(scope, KeyStatements.selectKey([.id(id), .id(team)])).first { row throws(StoreError) in
            try APIKey(&row)
        }
    }

    func rotateKey(
        _ old: APIKeyID,
        into new: APIKey,
        hash: [UInt8],
        overlapEnd: Timestamp,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> KeyVerdict {
        let values: [PostgresValue] = [
            .id(old), .id(new.team), .id(new.id), .bytes(hash), .text(new.hint), .id(new.issuedBy),
            .time(new.expiresAt), .time(overlapEnd), .time(now),
        ]
        return try await verdict(KeyStatements.rotateKey, values, scope, audit)
    }

    func revokeKey(
        _ id: APIKeyID,
        of team: TeamID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        try await act(KeyStatements.revokeKey, [.id(id), .id(team), .time(now)], scope, audit).count > 0
    }

    func useKey(hash: [UInt8], now: Timestamp) async throws(StoreError) -> APIKey? {
        // A time of use that a crash takes back is no loss.
        let group = PostgresGroup(.system, [KeyStatements.useKey([.bytes(hash), .time(now)])], isDurable: false)
        return try await pool.run(group).at(0).first { row throws(StoreError) in try APIKey(&row) }
    }

    func isActive(_ key: APIKeyID, now: Timestamp) async throws(StoreError) -> Bool {
        try await pool.run(.system, KeyStatements.isActive([.id(key), .time(now)])).count > 0
    }

    func createServiceAccount(
        _ account: ServiceAccount,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [
            .id(account.id), .id(account.team), .text(account.name), .text(account.role.rawValue),
            .id(account.createdBy), .time(account.createdAt), .integer(APIKeyLimits.serviceAccountsPerTeam),
        ]
        return try await act(KeyStatements.insertAccount, values, scope, audit).count > 0
    }

    func serviceAccounts(of team: TeamID, scope: Scope) async throws(StoreError) -> [ServiceAccount] {
        let values: [PostgresValue] = [.id(team), .integer(2 * APIKeyLimits.serviceAccountsPerTeam)]
        return try await pool.run(scope, KeyStatements.listAccounts(values)).rows { row throws(StoreError) in
            try ServiceAccount(&row)
        }
    }

    func deleteServiceAccount(
        _ id: ServiceAccountID,
        of team: TeamID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> [APIKeyID]? {
        let answer = try await act(KeyStatements.deleteAccount, [.id(id), .id(team), .time(now)], scope, audit)
        guard answer.count > 0 else { return nil }
        return try answer.rows { row throws(StoreError) in try row.optional(APIKeyID.self) }.compactMap(\.self)
    }

    /// Runs an audited statement that says what became of a key.
    private func verdict(
        _ statement: PostgresStatement,
        _ values: [PostgresValue],
        _ scope: Scope,
        _ audit: AuditDraft
    ) async throws(StoreError) -> KeyVerdict {
        let answer = try await act(statement, values, scope, audit)
        let verdict: KeyVerdict? = try answer.first { row throws(StoreError) in try row.word() }
        guard let verdict else { throw .failed(stage: "\(statement.name): no answer", sqlState: "08P01") }
        return verdict
    }

    /// Runs an audited statement; a team that is not in the scope has no row to change.
    private func act(
        _ statement: PostgresStatement,
        _ values: [PostgresValue],
        _ scope: Scope,
        _ audit: AuditDraft
    ) async throws(StoreError) -> PostgresResult {
        do throws(StoreError) {
            return try await pool.run(scope, statement(values + AuditStatements.values([audit])))
        } catch .failed(_, sqlState: "42501") {
            throw .notFound
        }
    }
}
