import Core
import Platform
import TestSupport
import Testing

@testable import Store

@Suite struct MigratorTests {
    private static func directory(_ loop: EventLoop) throws -> String {
        let path = "/tmp/errand-migrations-\(UInt64.random(in: 0 ... .max))"
        try Files.createDirectory(path)
        for name in try Files.list(TestDatabases.migrations) {
            let bytes = try Files.readAll("\(TestDatabases.migrations)/\(name)", limit: 1 << 20)
            try Files.writeAtomically("\(path)/\(name)", bytes)
        }
        return path
    }

    private func inside(_ body: @escaping @Sendable (EventLoop, ConnectionParameters) async throws -> Void) async throws
    {
        let cluster = try #require(PrivateDatabase.shared)
        let database = try await TestDatabases.shared.fresh()
        let loop = try EventLoop.start(name: "migrator")
        defer { loop.stop() }
        try await loop.run {
            try await body(loop, ConnectionParameters(cluster.connection(database: database, user: "postgres")))
        }
    }

    @Test func `a second run applies nothing, also for the owner`() async throws {
        try await inside { loop, database in
            let migrator = Migrator(directory: TestDatabases.migrations, loop: loop)
            let again = try await migrator.migrate(database)
            #expect(again.isEmpty)
            var owner = database
            owner.user = "errand_owner"
            let forOwner = try await migrator.migrate(owner)
            #expect(forOwner.isEmpty)
        }
    }

    @Test func `a new file is applied once, by whoever of two comes first`() async throws {
        try await inside { loop, database in
            let directory = try Self.directory(loop)
            try Files.writeAtomically(
                "\(directory)/0900_extra.sql",
                Array("create table extra (a int); select 1;".utf8)
            )
            let migrator = Migrator(directory: directory, loop: loop)
            var applied: [[String]] = []
            let done = LoopCondition()
            for _ in 0..<2 {
                loop.spawnLocal {
                    applied.append((try? await migrator.migrate(database)) ?? ["failed"])
                    done.signalAll()
                }
            }
            while applied.count < 2 { await done.wait() }
            #expect(applied.sorted { $0.count < $1.count } == [[], ["0900_extra.sql"]])
            try Files.removeTree(directory)
        }
    }

    @Test func `a file that fails leaves nothing behind`() async throws {
        try await inside { loop, database in
            let directory = try Self.directory(loop)
            let path = "\(directory)/0900_extra.sql"
            try Files.writeAtomically(path, Array("create table extra (a int); select 1 / 0;".utf8))
            let migrator = Migrator(directory: directory, loop: loop)
            await #expect(throws: StoreError.failed(stage: "0900_extra.sql", sqlState: "22012")) {
                try await migrator.migrate(database)
            }
            try Files.writeAtomically(path, Array("create table extra (a int);".utf8))
            #expect(try await migrator.migrate(database) == ["0900_extra.sql"])
            try Files.removeTree(directory)
        }
    }

    @Test func `a file that was changed after it was applied stops the migration`() async throws {
        try await inside { loop, database in
            let directory = try Self.directory(loop)
            let path = "\(directory)/0002_teams.sql"
            let text = try Files.readAll(path, limit: 1 << 20)
            let migrator = Migrator(directory: directory, loop: loop)
            #expect(try await migrator.migrate(database) == [])
            try Files.writeAtomically(path, text + [10])
            await #expect(throws: StoreError.self) { try await migrator.migrate(database) }
            try Files.remove(path)
            await #expect(throws: StoreError.self) { try await migrator.migrate(database) }
            try Files.removeTree(directory)
        }
    }

    @Test func `the bootstrap may be repeated`() async throws {
        let cluster = try #require(PrivateDatabase.shared)
        let database = try await TestDatabases.shared.fresh()
        let loop = try EventLoop.start(name: "migrator")
        defer { loop.stop() }
        let applied = try await loop.run {
            try await DatabaseBootstrap.prepare(
                superuser: ConnectionParameters(cluster.superuser),
                database: database,
                passwords: RolePasswords(owner: "o'ne", app: "two", audit: "three"),
                migrations: TestDatabases.migrations,
                on: loop
            )
        }
        #expect(applied == [])
    }

    @Test func `every table belongs to the owner and forces row-level security on it`() async throws {
        let cluster = try #require(PrivateDatabase.shared)
        let database = try await TestDatabases.shared.fresh()
        let tables = try await TestDatabases.superuser(cluster, database: database) { session in
            try await session.run(
                PostgresStatement(
                    "test.tables",
                    """
                    select c.relname::text, pg_get_userbyid(c.relowner)::text, c.relrowsecurity and c.relforcerowsecurity
                    from pg_class c join pg_namespace n on n.oid = c.relnamespace
                    where n.nspname = 'public' and c.relkind in ('r', 'p') order by 1
                    """
                )()
            ).rows { row throws(StoreError) in
                [try row.value(String.self), try row.value(String.self), "\(try row.value(Bool.self))"]
            }
        }
        // A month's partition is called after the month in which the test runs.
        let months = tables.filter { $0[0].hasPrefix("audit_entries_") }
        #expect(months.count == 2 && months.allSatisfy { $0.dropFirst() == ["errand_owner", "true"] })
        let own = tables.filter { $0[0] != "errand_migrations" }
        #expect(own.count > 15)
        for table in own { #expect(table.dropFirst() == ["errand_owner", "true"], "\(table[0])") }
    }

    @Test func `a store refuses a role that is above the policies`() async throws {
        let cluster = try #require(PrivateDatabase.shared)
        let database = try await TestDatabases.shared.fresh()
        let loop = try EventLoop.start(name: "migrator")
        defer { loop.stop() }
        for (user, isRefused) in [("postgres", true), ("errand_app", false)] {
            let url = cluster.connection(database: database, user: user)
            let wasRefused = try await loop.run {
                let store = try Store(configuration: StoreConfiguration(url: url), loop: loop)
                defer { loop.spawnLocal { await store.close() } }
                do { try await store.start() } catch { return true }
                return false
            }
            #expect(wasRefused == isRefused)
        }
    }
}
