import Core

/// The statements on second factors.
///
/// Most are functions of the schema, which judge and act under one lock.
enum FactorStatements {
    static let factors = PostgresStatement(
        "factors.of_user",
        """
        select (select f.confirmed_at from totp_factors f where f.user_id = $1::uuid),
            (select count(*) from passkeys p where p.user_id = $1::uuid),
            (select count(*) from recovery_codes c where c.user_id = $1::uuid and c.used_at is null)
        """
    )
    static let begin = PostgresStatement(
        "totp.begin",
        "select errand_begin_totp($1::uuid, $2::text, $3::bytea, $4::timestamptz)"
    )
    static let attempt = PostgresStatement(
        "totp.attempt",
        """
        select a.* from errand_attempt_code(
            $1::uuid, $2::timestamptz, $3::integer, $4::bigint * interval '1 millisecond'
        ) a
        """
    )
    static let confirm = AuditStatements.audited(
        "totp.confirm",
        parameters: 9,
        """
        select c.ended from errand_confirm_totp(
            $1::uuid, $2::bigint, $3::timestamptz, $4::bytea[], $5::uuid, $6::text, $7::text, $8::text, $9::timestamptz
        ) c
        """
    )
    static let accept = PostgresStatement(
        "totp.accept",
        """
        with accepted as (
            update totp_factors f set last_step = $2::bigint
            where f.user_id = $1::uuid and f.confirmed_at is not null
                and (f.last_step is null or f.last_step < $2::bigint)
            returning f.user_id
        ),
        cleared as (delete from code_attempts a using accepted c where a.user_id = c.user_id)
        select user_id from accepted
        """
    )
    static let remove = AuditStatements.audited(
        "totp.remove",
        parameters: 6,
        """
        select r.ended from errand_remove_totp(
            $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::timestamptz
        ) r
        """
    )
    static let useRecoveryCode = AuditStatements.audited(
        "recovery_codes.use",
        parameters: 6,
        """
        select r.remaining from errand_use_recovery_code(
            $1::uuid, $2::bytea, $3::text, $4::text, $5::text, $6::timestamptz
        ) r
        """
    )
    static let replaceRecoveryCodes = AuditStatements.audited(
        "recovery_codes.replace",
        parameters: 2,
        "select r as replaced from errand_replace_recovery_codes($1::uuid, $2::bytea[]) r"
    )
    static let reset = AuditStatements.audited(
        "factors.reset",
        parameters: 3,
        "select r.ended from errand_reset_factors($1::uuid, $2::text, $3::timestamptz) r"
    )
    static let notify = PostgresStatement(
        "factors.notify",
        "select errand_notice($1::uuid, $2::text, $3::uuid, $4::text, $5::text, $6::timestamptz)"
    )
    static let setPolicy = AuditStatements.audited(
        "teams.factor_policy",
        parameters: 2,
        when: "act.verdict = 'done'",
        "select errand_set_factor_policy($1::uuid, $2::boolean) as verdict"
    )
    /// The team of the object is found by one of the three; the others are null.
    static let holdsBack = PostgresStatement(
        "factors.holds_back",
        """
        select 1
        from memberships m join teams t on t.id = m.team_id
        where m.user_id = $1::uuid and t.require_second_factor and not errand_has_factor($1::uuid)
            and m.team_id = coalesce(
                $2::uuid, (select p.team_id from projects p where p.id = $3::uuid),
                (select j.team_id from jobs j where j.id = $4::uuid)
            )
        """
    )
}

/// The statements on passkeys.
enum PasskeyStatements {
    private static let columns = """
        p.id, p.user_id, p.credential_id, p.public_key, p.name, array_to_string(p.transports, ','), p.sign_count, \
        p.is_backed_up, p.created_at, p.last_used_at
        """

    static let ofUser = PostgresStatement(
        "passkeys.of_user",
        "select \(columns) from passkeys p where p.user_id = $1::uuid order by p.id"
    )
    static let named = PostgresStatement(
        "passkeys.named",
        "select \(columns) from passkeys p where p.credential_id = $1::bytea"
    )
    static let add = AuditStatements.audited(
        "passkeys.add",
        parameters: 17,
        when: "act.verdict in ('added', 'added_with_codes')",
        """
        select a.verdict, a.ended from errand_add_passkey(
            $1::uuid, $2::uuid, $3::bytea, $4::bytea, $5::text, $6::text[], $7::bigint, $8::boolean, $9::bytea,
            $10::timestamptz, $11::integer, $12::bytea[], $13::uuid, $14::text, $15::text, $16::text, $17::timestamptz
        ) a
        """
    )
    static let use = PostgresStatement(
        "passkeys.use",
        """
        select errand_use_passkey(
            $1::uuid, $2::bigint, $3::boolean, $4::bytea, $5::timestamptz, $6::timestamptz
        )
        """
    )
    static let remove = AuditStatements.audited(
        "passkeys.remove",
        parameters: 7,
        """
        select r.ended from errand_remove_passkey(
            $1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::text, $7::timestamptz
        ) r
        """
    )
}
