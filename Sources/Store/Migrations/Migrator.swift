import Bytes
package import Core
package import Platform

/// Brings a database to the present schema: the files of a directory in the order of their names, each once.
///
/// An applied file is recorded with its SHA-256; one that was changed afterwards stops everything, because nobody can
/// say what the database then holds. Two migrators wait for each other.
package struct Migrator {
    private static let fileLimit = 1 << 20
    /// Names the advisory lock; any constant that no other program of this database uses.
    private static let lockKey: Int64 = 0x6572_7261_6e64

    private let directory: String
    private let loop: EventLoop

    /// A migrator for the files of a directory.
    package init(directory: String, loop: EventLoop) {
        self.directory = directory
        self.loop = loop
    }

    /// Applies what is missing and answers with the names of the files it applied.
    ///
    /// The role must be a superuser, or `errand_owner` in a database it owns with the roles made.
    package func migrate(_ database: ConnectionParameters) async throws(StoreError) -> [String] {
        let files = try await load()
        let session = try await PostgresConnection.open(database, on: loop)
        defer { session.close() }
        // A large table may take its time, and another migrator with it.
        session.answerLimit = .seconds(3_600)
        try await session.script("set statement_timeout = 0; set lock_timeout = 0", stage: "migrate.limits")
        _ = try await session.run(Self.lock([.bigint(Self.lockKey)]))
        var applied: [String] = []
        var known = try await recorded(session)
        for file in files {
            let digest = try await session.run(Self.digest([.bytes(file.bytes)])).first { row throws(StoreError) in
                try row.value([UInt8].self)
            }
            guard let digest else { throw .failed(stage: "migration \(file.name): no digest", sqlState: "08P01") }
            if let before = known.removeValue(forKey: file.name) {
                guard before == digest else {
                    throw .failed(stage: "migration \(file.name): changed since it was applied", sqlState: "55000")
                }
            } else {
                try await apply(file, digest, session)
                applied.append(file.name)
            }
        }
        if let unknown = known.keys.min() {
            throw .failed(stage: "migration \(unknown): applied by a newer version", sqlState: "55000")
        }
        return applied
    }

    private func recorded(_ session: PostgresConnection) async throws(StoreError) -> [String: [UInt8]] {
        let exists = try await session.run(Self.recordExists()).first { row throws(StoreError) in
            try row.value(Bool.self)
        }
        guard exists == true else { return [:] }
        let rows = try await session.run(Self.readRecord()).rows { row throws(StoreError) in
            (try row.value(String.self), try row.value([UInt8].self))
        }
        return Dictionary(rows) { first, _ in first }
    }

    private func apply(_ file: MigrationFile, _ digest: [UInt8], _ session: PostgresConnection) async throws(StoreError)
    {
        do throws(StoreError) {
            try await session.script("begin", stage: file.name)
            // The first file makes the roles; everything after it belongs to the owner, whoever runs it.
            if !file.makesRoles { try await session.script(Self.becomeOwner, stage: file.name) }
            try await session.script(file.text, stage: file.name)
            if file.makesRoles { try await session.script(Self.becomeOwner, stage: file.name) }
            try await session.script(Self.createRecord, stage: file.name)
            _ = try await session.run(Self.record([.text(file.name), .bytes(digest)]))
            try await session.script("commit", stage: file.name)
        } catch {
            try? await session.script("rollback", stage: file.name)
            throw error
        }
    }

    private func load() async throws(StoreError) -> [MigrationFile] {
        do {
            let directory = directory
            let files = try await BlockingPool.run {
                try Files.list(directory).filter { $0.hasSuffix(".sql") }.sorted().map { name in
                    (name, try Files.readAll("\(directory)/\(name)", limit: Self.fileLimit))
                }
            }
            let migrations = files.compactMap { MigrationFile(name: $0.0, bytes: $0.1) }
            guard !migrations.isEmpty, migrations.count == files.count else {
                throw StoreError.failed(stage: "migrations: \(directory) holds no readable files", sqlState: "58P01")
            }
            return migrations
        } catch let error as StoreError {
            throw error
        } catch {
            throw .failed(stage: "migrations: \(error)", sqlState: "58030")
        }
    }
}

/// One file of SQL.
private struct MigrationFile {
    let name: String
    let bytes: [UInt8]
    let text: String

    init?(name: String, bytes: [UInt8]) {
        guard let text = String(strictUTF8: bytes), !bytes.contains(0) else { return nil }
        self.name = name
        self.bytes = bytes
        self.text = text
    }

    var makesRoles: Bool { name.hasSuffix("_roles.sql") }
}

extension Migrator {
    private static let becomeOwner = "set local role errand_owner"
    private static let createRecord = """
        create table if not exists errand_migrations (
            name text primary key, sha256 bytea not null, applied_at timestamptz not null default now()
        )
        """
    // Held until the session ends.
    private static let lock = PostgresStatement("migrate.lock", "select pg_advisory_lock($1::bigint)")
    private static let digest = PostgresStatement("migrate.digest", "select sha256($1::bytea)")
    private static let recordExists = PostgresStatement(
        "migrate.record_exists",
        "select to_regclass('public.errand_migrations') is not null"
    )
    private static let readRecord = PostgresStatement(
        "migrate.read_record",
        "select name, sha256 from public.errand_migrations"
    )
    private static let record = PostgresStatement(
        "migrate.record",
        "insert into public.errand_migrations (name, sha256) values ($1::text, $2::bytea)"
    )
}

extension PostgresConnection {
    /// Runs one statement without a scope.
    func run(_ call: PostgresCall) async throws(StoreError) -> PostgresResult {
        try await run(PostgresGroup(nil, [call])).at(0)
    }
}
