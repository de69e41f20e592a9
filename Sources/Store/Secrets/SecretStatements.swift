import Core

/// The statements on sealed secrets, of which every noun that has one uses the first two in its own transaction.
enum SecretStatements {
    /// Keeps a secret in place of the one before: place, team, user, sealed.
    static let put = PostgresStatement(
        "secrets.put",
        """
        insert into secrets (place, team_id, user_id, sealed) values ($1::text, $2::uuid, $3::uuid, $4::bytea)
        on conflict (place) do update set sealed = excluded.sealed
        """
    )
    /// Forgets a secret, and with it the row that names it.
    static let remove = "delete from secrets s where s.place = $1::text returning s.place"

    static let register = PostgresStatement(
        "master_keys.register",
        "select r.* from errand_register_master_key($1::bytea, $2::bytea[]) r"
    )
    static let adopt = AuditStatements.audited(
        "master_keys.adopt",
        parameters: 1,
        "insert into master_keys (id) values ($1::bytea) on conflict (id) do nothing returning id"
    )
    static let masterKeys = PostgresStatement(
        "master_keys.list",
        """
        select k.id, k.registered_at, (select count(*) from secrets s where s.master_key = k.id)
        from master_keys k order by k.registered_at, k.id
        """
    )
    static let under = PostgresStatement(
        "secrets.under",
        """
        select s.place, s.sealed from secrets s
        where s.master_key = $1::bytea and s.place > $2::text
        order by s.place limit $3::integer
        """
    )
    static let rewrap = PostgresStatement(
        "secrets.rewrap",
        """
        update secrets s set sealed = r.new
        from unnest($1::text[], $2::bytea[], $3::bytea[]) as r (place, old, new)
        where s.place = r.place and s.sealed = r.old
        """
    )
    static let forget = PostgresStatement("master_keys.forget", "delete from master_keys where id = $1::bytea")
}
