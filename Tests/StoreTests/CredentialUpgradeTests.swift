import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// What an installation holds of keys and sign-ins when the ends of credentials come to it.
@Suite struct CredentialUpgradeTests {
    private static let migration = "_credential_ends.sql"

    /// A directory of the files before that migration.
    private static func older() throws -> String {
        let path = try TestDirectory.make("older-migrations")
        for name in try Files.list(TestDatabases.migrations).sorted() {
            if name.hasSuffix(migration) { break }
            let bytes = try Files.readAll("\(TestDatabases.migrations)/\(name)", limit: 1 << 20)
            try Files.writeAtomically("\(path)/\(name)", bytes)
        }
        return path
    }

    private static let rows = """
        set errand.scope = 'system';
        insert into users (id, email, name, password_hash, created_at, disabled_at) values
            ('00000000-0000-7000-8000-000000000001', 'a@x', 'a', 'h', now(), null),
            ('00000000-0000-7000-8000-000000000002', 'b@x', 'b', 'h', now(), null),
            ('00000000-0000-7000-8000-000000000003', 'c@x', 'c', 'h', now(), now());
        insert into teams (id, name, created_at) values ('00000000-0000-7000-8000-00000000000a', 't', now());
        insert into memberships (user_id, team_id, role) values
            ('00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-00000000000a', 'owner'),
            ('00000000-0000-7000-8000-000000000003', '00000000-0000-7000-8000-00000000000a', 'member');
        insert into api_keys (id, hash, hint, team_id, issued_by, name, scopes, created_at)
        select gen_random_uuid(), sha256(u.name::bytea), 'h', '00000000-0000-7000-8000-00000000000a', u.id, u.name,
            '{jobs:read}', now()
        from users u;
        insert into sign_ins (
            id, user_id, device_name, address, user_agent, created_at, last_used_at, expires_at, authenticated_at
        )
        select gen_random_uuid(), '00000000-0000-7000-8000-000000000001', 'd', s.address, s.agent, now(), now(), now(),
            now()
        from (values
            ('192.0.2.77', 'curl/8.5.0'), ('192.0.2.9', 'Curl'), ('::ffff:198.51.100.3', ''),
            ('2001:db8:1:2::3', 'Mozilla/5.0 (X11) Chrome/141.0 Safari/537.36'), ('', 'Mozilla/5.0 (X11) Firefox/140.0'),
            ('nonsense', 'od d(/'), ('unix', 'Mozilla/5.0 Edg/1 Chrome/1')
        ) as s (address, agent);
        """

    @Test func `keys of who has left are over, and what people signed in with is known`() async throws {
        let cluster = try #require(PrivateDatabase.shared)
        try await cluster.start()
        let directory = try Self.older()
        defer { try? Files.removeTree(directory) }
        let loop = try EventLoop.start(name: "upgrade")
        defer { loop.stop() }
        try await loop.run {
            _ = try await DatabaseBootstrap.prepare(
                superuser: ConnectionParameters(cluster.superuser),
                database: "upgraded",
                passwords: RolePasswords(owner: "one", app: "two", audit: "three"),
                migrations: directory,
                on: loop
            )
            let parameters = try ConnectionParameters(cluster.connection(database: "upgraded", user: "postgres"))
            let session = try await PostgresConnection.open(parameters, on: loop)
            defer { session.close() }
            try await session.script(Self.rows, stage: "rows")
            let applied = try await Migrator(directory: TestDatabases.migrations, loop: loop).migrate(parameters)
            #expect(applied.first?.hasSuffix(Self.migration) == true)
            let standing = PostgresStatement(
                "upgrade.standing",
                "select k.name from api_keys k where k.revoked_at is null order by k.name"
            )
            let names = try await session.run(standing()).rows { row throws(StoreError) in
                try row.value(String.self)
            }
            #expect(names == ["a"])
            let traits = PostgresStatement(
                "upgrade.traits",
                "select t.kind || ' ' || t.value from sign_in_traits t order by 1"
            )
            let known = try await session.run(traits()).rows { row throws(StoreError) in try row.value(String.self) }
            let agents = [
                "curl/8.5.0", "", "Mozilla/5.0 (X11) Chrome/141.0 Safari/537.36", "Mozilla/5.0 (X11) Firefox/140.0",
                "od d(/", "Mozilla/5.0 Edg/1 Chrome/1",
            ]
            // As the server itself would have noted them.
            let clients = Set(agents.map { "client " + ClientFamily.of(userAgent: $0) })
            let networks = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8:1::/48"].map { "network " + $0 }
            #expect(Set(known) == clients.union(networks))
        }
    }
}
