import Bytes
import Core

/// Passwords and reset links in PostgreSQL.
final class PostgresPasswordStore: PasswordStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func rehash(_ user: UserID, checked: String, new: String) async throws(StoreError) {
        _ = try await pool.run(.system, Self.replaceHash([.id(user), .text(checked), .text(new)]))
    }

    func changePassword(
        _ user: UserID,
        checked generation: Int,
        new: String,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        let values: [PostgresValue] = [
            .id(user), .integer(generation), .text(new), .id(notice.signIn), .text(notice.kind.rawValue),
            .text(notice.address), .text(notice.userAgent), .time(notice.createdAt),
        ]
        return try await ended(Self.change(values + AuditStatements.values([audit])))
    }

    func issueReset(
        _ user: UserID,
        hash: [UInt8],
        now: Timestamp,
        expiresAt: Timestamp,
        audit: AuditDraft
    ) async throws(StoreError) -> Bool {
        let values: [PostgresValue] = [.bytes(hash), .id(user), .time(now), .time(expiresAt)]
        let group = PostgresGroup(
            .system,
            [Self.deleteResets([.id(user)]), Self.insertReset(values + AuditStatements.values([audit]))]
        )
        return try await pool.run(group).at(1).count > 0
    }

    func resetOwner(hash: [UInt8], now: Timestamp) async throws(StoreError) -> User? {
        try await pool.run(.system, Self.selectOwner([.bytes(hash), .time(now)])).first { row throws(StoreError) in
            try User(&row)
        }
    }

    func resetPassword(
        hash: [UInt8],
        new: String,
        notice: Notice,
        audit: AuditDraft
    ) async throws(StoreError) -> [SignInID]? {
        let values: [PostgresValue] = [
            .bytes(hash), .text(new), .text(notice.address), .text(notice.userAgent), .time(notice.createdAt),
        ]
        return try await ended(Self.reset(values + AuditStatements.values([audit])))
    }

    /// The sign-ins that a change ended: its first row only says that it happened.
    private func ended(_ call: PostgresCall) async throws(StoreError) -> [SignInID]? {
        let answer = try await pool.run(.system, call)
        guard answer.count > 0 else { return nil }
        return try answer.rows { row throws(StoreError) in try row.optional(SignInID.self) }.compactMap(\.self)
    }
}

extension PostgresPasswordStore {
    private static let replaceHash = PostgresStatement(
        "users.rehash",
        "update users set password_hash = $3::text where id = $1::uuid and password_hash = $2::text"
    )
    private static let change = AuditStatements.audited(
        "users.change_password",
        parameters: 8,
        """
        select c.ended from errand_change_password(
            $1::uuid, $2::integer, $3::text, $4::uuid, $5::text, $6::text, $7::text, $8::timestamptz
        ) c
        """
    )
    private static let deleteResets = PostgresStatement(
        "password_resets.delete",
        "delete from password_resets where user_id = $1::uuid"
    )
    private static let insertReset = AuditStatements.audited(
        "password_resets.insert",
        parameters: 4,
        """
        insert into password_resets (hash, user_id, created_at, expires_at)
        select $1::bytea, u.id, $3::timestamptz, $4::timestamptz from users u
        where u.id = $2::uuid and u.disabled_at is null
        returning user_id
        """
    )
    private static let selectOwner = PostgresStatement(
        "password_resets.owner",
        """
        select \(User.columns) from password_resets r join users u on u.id = r.user_id
        where r.hash = $1::bytea and r.expires_at > $2::timestamptz and u.disabled_at is null
        """
    )
    private static let reset = AuditStatements.audited(
        "users.reset_password",
        parameters: 5,
        """
        select c.ended from errand_reset_password($1::bytea, $2::text, $3::text, $4::text, $5::timestamptz) c
        """
    )
}
