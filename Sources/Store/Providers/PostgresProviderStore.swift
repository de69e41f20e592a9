import Bytes
import Core

/// OpenID providers in PostgreSQL.
final class PostgresProviderStore: ProviderStore {
    private let pool: PostgresPool

    init(_ pool: PostgresPool) {
        self.pool = pool
    }

    func add(_ provider: OpenIDProvider, sealed: [UInt8]?, audit: AuditDraft) async throws(StoreError) {
        let place = PostgresValue.text(sealed == nil ? nil : provider.secretPlace.description)
        var calls: [PostgresCall] = []
        if let sealed { calls.append(SecretStatements.put([place, .null, .null, .bytes(sealed)])) }
        calls += [
            ProviderStatements.insert([
                .id(provider.id), .text(provider.name), .text(provider.label), .text(provider.issuer),
                .text(provider.clientID), place, .array(.text, provider.domains.map { .text($0) }),
                .boolean(provider.makesAccounts), .id(provider.joins?.team), .word(provider.joins?.role),
                .boolean(provider.isInternal), .boolean(provider.vouchesForAddresses), .time(provider.createdAt),
            ]),
            AuditStatements.append([audit]),
        ]
        _ = try await pool.run(PostgresGroup(.system, calls))
    }

    func setSecret(of provider: OpenIDProvider, sealed: [UInt8], audit: AuditDraft) async throws(StoreError) -> Bool {
        let place = PostgresValue.text(provider.secretPlace.description)
        let group = PostgresGroup(
            .system,
            [
                ProviderStatements.putSecret([.id(provider.id), place, .bytes(sealed)]),
                ProviderStatements.nameSecret([.id(provider.id), place] + AuditStatements.values([audit])),
            ]
        )
        return try await pool.run(group).at(1).count > 0
    }

    func remove(_ provider: OpenIDProvider, audit: AuditDraft) async throws(StoreError) -> Bool {
        let group = PostgresGroup(
            .system,
            [
                ProviderStatements.remove([.id(provider.id)] + AuditStatements.values([audit])),
                ProviderStatements.removeSecret([.text(provider.secretPlace.description)]),
            ]
        )
        return try await pool.run(group).at(0).count > 0
    }

    func providers() async throws(StoreError) -> [OpenIDProvider] {
        try await pool.run(.system, ProviderStatements.list()).rows { row throws(StoreError) in
            try OpenIDProvider(&row)
        }
    }

    func provider(named name: String) async throws(StoreError) -> OpenIDProvider? {
        try await pool.run(.system, ProviderStatements.select([.text(name)])).first { row throws(StoreError) in
            try OpenIDProvider(&row)
        }
    }

    func secret(of provider: OpenIDProvider) async throws(StoreError) -> StoredSecret? {
        try await pool.run(.system, ProviderStatements.secret([.id(provider.id)])).first { row throws(StoreError) in
            StoredSecret(place: try SecretPlace(&row), sealed: try row.value())
        }
    }
}

extension OpenIDProvider {
    /// The columns that `init(_:)` reads.
    fileprivate static let columns = """
        p.id, p.name, p.label, p.issuer, p.client_id, array_to_string(p.domains, ' '), p.makes_accounts, \
        p.joins_team, p.joins_role, p.is_internal, p.vouches_for_addresses, p.created_at
        """

    /// Reads `columns`.
    fileprivate init(_ row: inout PostgresRow) throws(StoreError) {
        let (id, name): (ProviderID, String) = (try row.value(), try row.value())
        let (label, issuer): (String, String) = (try row.value(), try row.value())
        let (clientID, domains): (String, String) = (try row.value(), try row.value())
        let makesAccounts: Bool = try row.value()
        let (team, role): (TeamID?, Role) = (try row.optional(), try row.word())
        self.init(
            id: id,
            name: name,
            label: label,
            issuer: issuer,
            clientID: clientID,
            domains: domains.split(separator: " ").map { String($0) },
            makesAccounts: makesAccounts,
            joins: team.map { ProviderTeam(team: $0, role: role) },
            isInternal: try row.value(),
            vouchesForAddresses: try row.value(),
            createdAt: try row.value()
        )
    }
}

/// The statements on providers.
private enum ProviderStatements {
    static let insert = PostgresStatement(
        "oidc_providers.insert",
        """
        insert into oidc_providers (
            id, name, label, issuer, client_id, secret, domains, makes_accounts, joins_team, joins_role, is_internal,
            vouches_for_addresses, created_at
        )
        values (
            $1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text[], $8::boolean, $9::uuid,
            coalesce($10::text, 'member'), $11::boolean, $12::boolean, $13::timestamptz
        )
        """
    )
    /// A secret of a provider that is gone would be nobody's.
    static let putSecret = PostgresStatement(
        "oidc_providers.put_secret",
        """
        insert into secrets (place, sealed)
        select $2::text, $3::bytea from oidc_providers p where p.id = $1::uuid for no key update
        on conflict (place) do update set sealed = excluded.sealed
        """
    )
    static let nameSecret = AuditStatements.audited(
        "oidc_providers.name_secret",
        parameters: 2,
        "update oidc_providers set secret = $2::text where id = $1::uuid returning id"
    )
    static let remove = AuditStatements.audited(
        "oidc_providers.remove",
        parameters: 1,
        "delete from oidc_providers where id = $1::uuid returning id"
    )
    static let removeSecret = PostgresStatement(
        "oidc_providers.remove_secret",
        "delete from secrets where place = $1::text"
    )
    static let list = PostgresStatement(
        "oidc_providers.list",
        "select \(OpenIDProvider.columns) from oidc_providers p order by p.name"
    )
    static let select = PostgresStatement(
        "oidc_providers.get",
        "select \(OpenIDProvider.columns) from oidc_providers p where p.name = $1::text"
    )
    static let secret = PostgresStatement(
        "oidc_providers.secret",
        "select s.place, s.sealed from oidc_providers p join secrets s on s.place = p.secret where p.id = $1::uuid"
    )
}
