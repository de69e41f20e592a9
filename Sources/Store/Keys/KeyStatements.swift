import Core

/// The statements on API keys and service accounts.
enum KeyStatements {
    /// Only what is done is an act, here and below.
    static let createKey = AuditStatements.audited(
        "api_keys.create",
        parameters: 13,
        when: "act.verdict = 'done'",
        """
        select c.verdict from errand_create_key(
            $1::uuid, $2::bytea, $3::text, $4::uuid, $5::uuid, $6::uuid, $7::text, $8::text[], $9::uuid[],
            $10::timestamptz, $11::timestamptz, $12::integer, $13::integer
        ) c
        """
    )
    /// Those of clients' sign-ins are people's devices, and no keys to anybody.
    static let listKeys = PostgresStatement(
        "api_keys.of_team",
        """
        select \(APIKey.columns) from api_keys k
        where k.team_id = $1::uuid and k.id < $3::uuid and k.sign_in_id is null
            and ($2::uuid is null or k.issued_by = $2::uuid and k.service_account_id is null)
        order by k.id desc limit $4::integer
        """
    )
    static let selectKey = PostgresStatement(
        "api_keys.get",
        """
        select \(APIKey.columns) from api_keys k
        where k.id = $1::uuid and k.team_id = $2::uuid and k.revoked_at is null and k.sign_in_id is null
        """
    )
    static let rotateKey = AuditStatements.audited(
        "api_keys.rotate",
        parameters: 9,
        when: "act.verdict = 'done'",
        """
        select r.verdict from errand_rotate_key(
            $1::uuid, $2::uuid, $3::uuid, $4::bytea, $5::text, $6::uuid, $7::timestamptz, $8::timestamptz,
            $9::timestamptz
        ) r
        """
    )
    static let revokeKey = AuditStatements.audited(
        "api_keys.revoke",
        parameters: 3,
        """
        update api_keys k set revoked_at = $3::timestamptz
        where k.id = $1::uuid and k.team_id = $2::uuid and k.revoked_at is null
        returning k.id
        """
    )
    /// Whether it stands, with all that it hangs on; its use is written at most once a minute.
    static let useKey = PostgresStatement(
        "api_keys.use",
        """
        with standing as (
            select \(APIKey.columns) from api_keys k cross join lateral errand_key(k.id) e
            where k.hash = $1::bytea and (k.expires_at is null or k.expires_at > $2::timestamptz)
        ),
        noted as (
            update api_keys k set last_used_at = $2::timestamptz
            from standing t
            where k.id = t.id
                and (k.last_used_at is null or k.last_used_at < $2::timestamptz - interval '1 minute')
        )
        select * from standing
        """
    )
    static let isActive = PostgresStatement(
        "api_keys.active",
        """
        select 1 from api_keys k cross join lateral errand_key(k.id) e
        where k.id = $1::uuid and (k.expires_at is null or k.expires_at > $2::timestamptz)
        """
    )

    static let insertAccount = AuditStatements.audited(
        "service_accounts.insert",
        parameters: 7,
        """
        insert into service_accounts (id, team_id, name, role, created_by, created_at)
        select $1::uuid, $2::uuid, $3::text, $4::text, $5::uuid, $6::timestamptz
        where (
            select count(*) from service_accounts s where s.team_id = $2::uuid and s.deleted_at is null
        ) < $7::integer
        returning id
        """
    )
    static let listAccounts = PostgresStatement(
        "service_accounts.of_team",
        """
        select \(ServiceAccount.columns) from service_accounts s
        where s.team_id = $1::uuid and s.deleted_at is null
        order by s.id limit $2::integer
        """
    )
    static let deleteAccount = AuditStatements.audited(
        "service_accounts.delete",
        parameters: 3,
        "select d.ended from errand_delete_service_account($1::uuid, $2::uuid, $3::timestamptz) d"
    )
}
