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

extension SignIn {
    /// The columns that `init(_:)` reads.
    static let columns = """
        s.id, s.user_id, s.device_name, s.address, s.user_agent, s.created_at, s.last_used_at, s.expires_at, \
        s.revoked_at
        """

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            id: try row.value(),
            userID: try row.value(),
            deviceName: try row.value(),
            address: try row.value(),
            userAgent: try row.value(),
            createdAt: try row.value(),
            lastUsedAt: try row.value(),
            expiresAt: try row.value(),
            revokedAt: try row.optional()
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
        "select \(User.columns), u.password_hash from users u where u.email = $1::text"
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
        with: """
            changed as (
                update users set disabled_at = coalesce(disabled_at, now()) where id = $1::uuid
                returning id, disabled_at = now() as is_new
            ),
            ended as (
                update sign_ins s set revoked_at = now() from changed c
                where s.user_id = c.id and s.revoked_at is null
            ),
            tickets as (delete from stream_tickets t using changed c where t.user_id = c.id)
            """,
        "select is_new from changed"
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
    static let updatePassword = PostgresStatement(
        "users.password",
        "update users set password_hash = $2::text where id = $1::uuid"
    )
    static let insertSignIn = PostgresStatement(
        "sign_ins.insert",
        """
        insert into sign_ins (
            id, user_id, device_name, address, user_agent, created_at, last_used_at, expires_at, revoked_at
        )
        values (
            $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::timestamptz,
            $9::timestamptz
        )
        """
    )
    static let insertFirstToken = PostgresStatement(
        "refresh_tokens.insert",
        "insert into refresh_tokens (hash, sign_in_id, generation) values ($1::bytea, $2::uuid, 1)"
    )
    static let rotate = PostgresStatement(
        "refresh_tokens.rotate",
        """
        select r.outcome, r.sealed_answer
        from errand_refresh(
            $1::bytea, $2::bytea, $3::bytea, $4::timestamptz, $5::bigint * interval '1 millisecond'
        ) r
        """
    )
    static let selectFamily = PostgresStatement(
        "refresh_tokens.family",
        """
        select \(SignIn.columns) from sign_ins s join refresh_tokens t on t.sign_in_id = s.id where t.hash = $1::bytea
        """
    )
    /// Whether it stands; its use is written at most once a minute, whichever loop or replica asks.
    static let useSignIn = PostgresStatement(
        "sign_ins.use",
        """
        with standing as (
            select s.id, s.last_used_at from sign_ins s join users u on u.id = s.user_id
            where s.id = $1::uuid and s.revoked_at is null and s.expires_at > $2::timestamptz
                and u.disabled_at is null
        ),
        noted as (
            update sign_ins s set last_used_at = $2::timestamptz
            from standing t
            where s.id = t.id and s.last_used_at < $2::timestamptz - interval '1 minute'
        )
        select 1 from standing
        """
    )
    static let selectSignIns = PostgresStatement(
        "sign_ins.of_user",
        """
        select \(SignIn.columns) from sign_ins s
        where s.user_id = $1::uuid and s.id < $2::uuid and s.revoked_at is null and s.expires_at > $3::timestamptz
        order by s.id desc limit $4::integer
        """
    )
    static let revokeSignIn = PostgresStatement(
        "sign_ins.revoke",
        """
        with ended as (
            update sign_ins set revoked_at = $2::timestamptz where id = $1::uuid and revoked_at is null returning id
        )
        delete from stream_tickets t using ended e where t.sign_in_id = e.id
        """
    )
    static let revokeOwnSignIn = PostgresStatement(
        "sign_ins.revoke_own",
        """
        with ended as (
            update sign_ins set revoked_at = $3::timestamptz
            where id = $1::uuid and user_id = $2::uuid and revoked_at is null and expires_at > $3::timestamptz
            returning id
        ),
        tickets as (delete from stream_tickets t using ended e where t.sign_in_id = e.id)
        select id from ended
        """
    )
    static let revokeSignIns = PostgresStatement(
        "sign_ins.revoke_all",
        """
        with ended as (
            update sign_ins set revoked_at = $3::timestamptz
            where user_id = $1::uuid and id is distinct from $2::uuid and revoked_at is null
                and expires_at > $3::timestamptz
            returning id
        ),
        tickets as (delete from stream_tickets t using ended e where t.sign_in_id = e.id)
        select id from ended
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
