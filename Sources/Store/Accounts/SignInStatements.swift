import Bytes
import Core

extension SignIn {
    /// The columns that `init(_:)` reads.
    static let columns = """
        s.id, s.user_id, s.device_name, s.address, s.user_agent, s.created_at, s.last_used_at, s.expires_at, \
        s.revoked_at, s.authenticated_at, s.client_id, array_to_string(s.scopes, ' ')
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
            revokedAt: try row.optional(),
            authenticatedAt: try row.value(Timestamp.self),
            clientID: try row.value(),
            scopes: try row.optional(String.self).map { KeyScope.read($0) }
        )
    }
}

extension Notice {
    /// The columns that `init(_:)` reads.
    static let columns = "n.kind, n.created_at, n.sign_in_id, n.device_name, n.address, n.user_agent"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            try row.word(),
            at: try row.value(),
            signIn: try row.optional(),
            deviceName: try row.optional(),
            address: try row.optional(),
            userAgent: try row.optional()
        )
    }
}

/// The statements on sign-ins, their tokens and what is known of where they come from.
enum SignInStatements {
    /// Waits for a change of the password that is under way; without a row the first token has no sign-in to hang on.
    static let insert = PostgresStatement(
        "sign_ins.insert",
        """
        insert into sign_ins (
            id, user_id, device_name, address, user_agent, created_at, last_used_at, expires_at, revoked_at,
            authenticated_at, client_id, scopes
        )
        select $1::uuid, u.id, $3::text, $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::timestamptz,
            $9::timestamptz, $10::timestamptz, $11::text, $15::text[]
        from users u
        where u.id = $2::uuid
            and u.disabled_at is null and ($12::integer is null or u.password_generation = $12::integer)
            and (
                $13::bytea is null
                or exists (select from device_grants g where g.hash = $13::bytea and g.sign_in_id = $1::uuid)
            )
            and (
                $14::bytea is null
                or exists (select from authorization_codes a where a.hash = $14::bytea and a.sign_in_id = $1::uuid)
            )
        for share of u
        """
    )
    static let insertFirstToken = PostgresStatement(
        "refresh_tokens.insert",
        "insert into refresh_tokens (hash, sign_in_id, generation) values ($1::bytea, $2::uuid, 1)"
    )
    static let insertSession = PostgresStatement(
        "browser_sessions.insert",
        "insert into browser_sessions (hash, sign_in_id) values ($1::bytea, $2::uuid)"
    )
    /// The sign-in and its account while both stand; its use is written at most once a minute.
    static let useSession = PostgresStatement(
        "browser_sessions.use",
        """
        with noted as (
            update sign_ins s set last_used_at = $2::timestamptz
            from browser_sessions b
            where b.hash = $1::bytea and s.id = b.sign_in_id and s.revoked_at is null
                and s.last_used_at < $2::timestamptz - interval '1 minute'
        )
        select \(SignIn.columns), \(User.columns)
        from browser_sessions b join sign_ins s on s.id = b.sign_in_id join users u on u.id = s.user_id
        where b.hash = $1::bytea and s.revoked_at is null and s.expires_at > $2::timestamptz
            and u.disabled_at is null
        """
    )
    static let traits = PostgresStatement(
        "sign_in_traits.of_user",
        "select t.kind, t.value from sign_in_traits t where t.user_id = $1::uuid"
    )
    /// In one order, so that two sign-ins of a person at once cannot wait for each other.
    static let noteTraits = PostgresStatement(
        "sign_in_traits.note",
        """
        insert into sign_in_traits (user_id, kind, value, first_seen_at, last_seen_at)
        select $1::uuid, t.kind, t.value, $4::timestamptz, $4::timestamptz
        from unnest($2::text[], $3::text[]) as t (kind, value)
        order by t.kind, t.value
        on conflict (user_id, kind, value) do update set last_seen_at = excluded.last_seen_at
        """
    )
    static let insertNotice = PostgresStatement(
        "notices.insert",
        """
        insert into notices (user_id, kind, created_at, sign_in_id, device_name, address, user_agent)
        values ($1::uuid, $2::text, $3::timestamptz, $4::uuid, $5::text, $6::text, $7::text)
        """
    )
    static let notices = PostgresStatement(
        "notices.of_user",
        """
        select \(Notice.columns) from notices n where n.user_id = $1::uuid
        order by n.created_at desc limit $2::integer
        """
    )
    static let select = PostgresStatement(
        "sign_ins.get",
        "select \(SignIn.columns) from sign_ins s where s.id = $1::uuid"
    )
    static let selectFamily = PostgresStatement(
        "refresh_tokens.family",
        """
        select \(SignIn.columns) from sign_ins s join refresh_tokens t on t.sign_in_id = s.id where t.hash = $1::bytea
        """
    )
    static let confirm = AuditStatements.audited(
        "sign_ins.confirm",
        parameters: 2,
        "update sign_ins set authenticated_at = $2::timestamptz where id = $1::uuid and revoked_at is null returning id"
    )
    static let rotate = AuditStatements.audited(
        "refresh_tokens.rotate",
        parameters: 8,
        when: "act.outcome = 'reused'",
        """
        select r.outcome, r.sealed_answer
        from errand_refresh(
            $1::bytea, $2::bytea, $3::bytea, $4::timestamptz, $5::bigint * interval '1 millisecond', $6::text,
            $7::text, $8::text
        ) r
        """
    )
    /// Whether it stands; its use is written at most once a minute, whichever loop or replica asks.
    static let use = PostgresStatement(
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
    static let ofUser = PostgresStatement(
        "sign_ins.of_user",
        """
        select \(SignIn.columns) from sign_ins s
        where s.user_id = $1::uuid and s.id < $2::uuid and s.revoked_at is null and s.expires_at > $3::timestamptz
        order by s.id desc limit $4::integer
        """
    )
    static let revoke = AuditStatements.audited(
        "sign_ins.revoke",
        parameters: 3,
        "select e as id from errand_end_sign_in($1::uuid, $2::uuid, $3::timestamptz) e"
    )
    static let revokeAll = AuditStatements.audited(
        "sign_ins.revoke_all",
        parameters: 3,
        "select e as id from errand_end_sign_ins($1::uuid, $2::uuid, $3::timestamptz) e"
    )
}
