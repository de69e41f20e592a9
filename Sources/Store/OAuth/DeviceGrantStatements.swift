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
    /// Many at once may exceed the limit by as many: it bounds what a guess may meet, nothing else.
    static let insert = PostgresStatement(
        "device_grants.insert",
        """
        insert into device_grants (
            hash, user_code_hash, client_id, device_name, address, user_agent, created_at, expires_at, pause
        )
        select $1::bytea, $2::bytea, $3::text, $4::text, $5::text, $6::text, $7::timestamptz, $8::timestamptz,
            $9::bigint * interval '1 millisecond'
        where (select count(*) from device_grants g where g.expires_at > $7::timestamptz) < $10::integer
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
    static let decide = AuditStatements.audited(
        "device_grants.decide",
        parameters: 4,
        """
        update device_grants g
        set state = case when $3::timestamptz is null then 'refused' else 'approved' end, user_id = $2::uuid,
            authenticated_at = $3::timestamptz
        where g.user_code_hash = $1::bytea and g.state = 'pending' and g.expires_at > $4::timestamptz
        returning g.client_id
        """
    )
    static let poll = PostgresStatement(
        "device_grants.poll",
        """
        select p.verdict, p.person, p.named, p.proved
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
