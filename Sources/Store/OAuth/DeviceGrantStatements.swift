import Bytes
import Core

extension DeviceGrant {
    /// The columns that `init(_:)` reads.
    static let columns = "g.client_id, g.device_name, g.address, g.user_agent, g.created_at, g.expires_at"

    /// Reads `columns`.
    init(_ row: inout PostgresRow) throws(StoreError) {
        self.init(
            clientID: try row.value(),
            deviceName: try row.value(),
            address: try row.value(),
            userAgent: try row.value(),
            createdAt: try row.value(),
            expiresAt: try row.value()
        )
    }
}

/// The statements on machines that wait for their person.
enum DeviceGrantStatements {
    /// Bounded for all and for one address (an IPv6 /64), so that strangers cannot take all the places.
    ///
    /// Many at once may exceed a limit by as many: it bounds what a guess may meet, nothing else.
    static let insert = PostgresStatement(
        "device_grants.insert",
        """
        insert into device_grants (
            hash, user_code_hash, client_id, device_name, address, user_agent, created_at, expires_at, pause
        )
        select $1::bytea, $2::bytea, $3::text, $4::text, $5::text, $6::text, $7::timestamptz, $8::timestamptz,
            $9::bigint * interval '1 millisecond'
        from (
            select count(*) as all_of_them,
                count(*) filter (
                    where network(set_masklen(g.address::inet, case family(g.address::inet) when 4 then 32 else 64 end))
                        = network(set_masklen($5::text::inet, case family($5::text::inet) when 4 then 32 else 64 end))
                ) as near
            from device_grants g
            where g.state = 'pending' and g.expires_at > $7::timestamptz
        ) w
        where w.all_of_them < $10::integer and w.near < $11::integer
        returning 1
        """
    )
    static let select = PostgresStatement(
        "device_grants.waiting",
        """
        select \(DeviceGrant.columns) from device_grants g
        where g.user_code_hash = $1::bytea and g.state = 'pending' and g.expires_at > $2::timestamptz
        """
    )
    static let holdAccount = PostgresStatement(
        "device_grants.hold_account",
        "select from users u where u.id = $1::uuid for share"
    )
    static let decide = AuditStatements.audited(
        "device_grants.decide",
        parameters: 5,
        """
        update device_grants g
        set state = case when $3::boolean then 'approved' else 'refused' end, user_id = $2::uuid,
            authenticated_at = $4::timestamptz
        where g.user_code_hash = $1::bytea and g.state = 'pending' and g.expires_at > $4::timestamptz
            and exists (
                select from sign_ins s join users u on u.id = s.user_id
                where s.id = $5::uuid and s.user_id = $2::uuid and s.revoked_at is null
                    and s.expires_at > $4::timestamptz and u.disabled_at is null
            )
        returning g.client_id
        """
    )
    static let poll = PostgresStatement(
        "device_grants.poll",
        """
        select p.verdict, p.person, p.named
        from errand_poll_device(
            $1::bytea, $2::text, $3::timestamptz, $4::bigint * interval '1 millisecond',
            $5::bigint * interval '1 millisecond'
        ) p
        """
    )
    /// Used up for the sign-in whose row comes next in the transaction: without this there is none.
    ///
    /// The person is locked first, as everywhere: a change of their password takes away what was confirmed.
    static let redeem = PostgresStatement(
        "device_grants.redeem",
        """
        update device_grants g set state = 'redeemed', sign_in_id = $3::uuid
        from (select u.id from users u where u.id = $2::uuid for share) person
        where g.hash = $1::bytea and g.user_id = person.id and g.state = 'approved' and g.expires_at > $4::timestamptz
        """
    )
}
