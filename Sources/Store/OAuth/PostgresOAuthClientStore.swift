import Bytes
import Core

/// Registered clients and their codes in PostgreSQL.
final class PostgresOAuthClientStore: OAuthClientStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func createClient(
        _ client: OAuthClient,
        secretHash: [UInt8]?,
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [
            .id(client.id), .id(client.team), .text(client.name),
            .array(.text, client.redirectURIs.map { .text($0) }),
            .array(.text, client.scopes.map(\.rawValue).sorted().map { .text($0) }), .boolean(client.isConfidential),
            secretHash.map { .bytes($0) } ?? .null, .id(client.createdBy), .time(client.createdAt),
            .integer(OAuthClientLimits.perTeam),
        ]
        return try await act(OAuthClientStatements.insert, values, scope, audit).count > 0
    }

    func clients(of team: TeamID, scope: Scope) async throws(StoreError) -> [OAuthClient] {
        let values: [PostgresValue] = [.id(team), .integer(2 * OAuthClientLimits.perTeam)]
        return try await pool.run(scope, OAuthClientStatements.list(values)).rows { row throws(StoreError) in
            try OAuthClient(&row)
        }
    }

    func client(
        _ id: OAuthClientID,
        scope: Scope
    ) async throws(StoreError) -> (client: OAuthClient, secretHash: [UInt8]?)? {
        try await pool.run(scope, OAuthClientStatements.select([.id(id)])).first { row throws(StoreError) in
            (client: try OAuthClient(&row), secretHash: try row.optional())
        }
    }

    func replaceSecret(
        of id: OAuthClientID,
        team: TeamID,
        hash: [UInt8],
        scope: Scope,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        try await act(OAuthClientStatements.replaceSecret, [.id(id), .id(team), .bytes(hash)], scope, audit).count > 0
    }

    func removeClient(
        _ id: OAuthClientID,
        of team: TeamID,
        scope: Scope,
        now: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        guard try await act(OAuthClientStatements.remove, [.id(id), .id(team)], scope, audit).count > 0 else {
            return nil
        }
        // What is left of its sign-ins opens nothing any more: this only takes them out of people's lists.
        let values: [PostgresValue] = [.text(id.description), .time(now)]
        return try await pool.run(.system, OAuthClientStatements.endSignIns(values)).rows { row throws(StoreError) in
            try row.value()
        }
    }

    func createCode(_ code: AuthorizationCode, hash: [UInt8], audit: AuditDraft) async throws(StoreError) {
        let values: [PostgresValue] = [
            .bytes(hash), .id(code.client), .id(code.user), .text(code.redirectURI), .text(code.challenge),
            .array(.text, code.scopes.map(\.rawValue).sorted().map { .text($0) }), .time(code.authenticatedAt),
            .time(code.createdAt), .time(code.expiresAt),
        ]
        _ = try await pool.run(.system, OAuthClientStatements.insertCode(values + AuditStatements.values([audit])))
    }

    func code(hash: [UInt8]) async throws(StoreError) -> AuthorizationCode? {
        try await pool.run(.system, OAuthClientStatements.selectCode([.bytes(hash)])).first { row throws(StoreError) in
            try AuthorizationCode(&row)
        }
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
