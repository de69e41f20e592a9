import Bytes
import Core

extension User {
    /// The columns that `init(_:)` reads.
    static let columns = "u.id, u.email, u.name, u.is_administrator, u.disabled_at is not null, u.created_at"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            email: try row.value(),
            name: try row.value(),
            isAdministrator: try row.value(),
            isDisabled: try row.value(),
            createdAt: try row.value()
        )
    }
}

extension PostgresAccountStore {
    static let insertUser = PostgresStatement(
        "users.insert",
        """
        insert into users (id, email, name, password_hash, is_administrator, disabled_at, created_at)
        values ($1::uuid, $2::text, $3::text, $4::text, $5::boolean, $6::timestamptz, $7::timestamptz)
        """
    )
    static let selectCredentials = PostgresStatement(
        "users.credentials",
        "select \(User.columns), u.password_hash, u.password_generation from users u where u.email = $1::text"
    )
    static let selectUser = PostgresStatement(
        "users.get",
        "select \(User.columns) from users u where u.id = $1::uuid"
    )
    static let selectUsers = PostgresStatement(
        "users.list",
        "select \(User.columns) from users u order by u.created_at, u.id"
    )
    /// Only a change is an act, here and below.
    static let disable = AuditStatements.audited(
        "users.disable",
        parameters: 1,
        when: "act.is_new",
        "select d.is_new from errand_disable_user($1::uuid) d"
    )
    static let enable = AuditStatements.audited(
        "users.enable",
        parameters: 1,
        when: "act.is_new",
        """
        update users u set disabled_at = null
        from (select o.id, o.disabled_at from users o where o.id = $1::uuid for update) before
        where u.id = before.id
        returning before.disabled_at is not null as is_new
        """
    )
    static let insertTicket = PostgresStatement(
        "stream_tickets.insert",
        """
        insert into stream_tickets (hash, user_id, sign_in_id, expires_at)
        values ($1::bytea, $2::uuid, $3::uuid, $4::timestamptz)
        """
    )
    static let selectTicket = PostgresStatement(
        "stream_tickets.read",
        """
        select t.user_id, t.sign_in_id
        from stream_tickets t join sign_ins s on s.id = t.sign_in_id join users u on u.id = t.user_id
        where t.hash = $1::bytea and t.expires_at > $2::timestamptz and s.revoked_at is null
            and s.expires_at > $2::timestamptz and u.disabled_at is null
        """
    )
    /// Taken out in any case; honoured only while the sign-in stands.
    static let takeTicket = PostgresStatement(
        "stream_tickets.take",
        """
        with taken as (
            delete from stream_tickets where hash = $1::bytea returning user_id, sign_in_id, expires_at
        )
        select t.user_id, t.sign_in_id
        from taken t join sign_ins s on s.id = t.sign_in_id join users u on u.id = t.user_id
        where t.expires_at > $2::timestamptz and s.revoked_at is null and s.expires_at > $2::timestamptz
            and u.disabled_at is null
        """
    )
}
