import Core
import Platform
import TestSupport
import Testing

@testable import Store

/// Databases for tests: each a copy of one that was migrated once.
actor TestDatabases {
    static let shared = TestDatabases()
    static let migrations = #filePath.components(before: "/Tests/") + "/migrations"

    private var isPrepared = false
    private var isPreparing = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var count = 0

    /// The name of a new, migrated, empty database of the shared cluster.
    func fresh() async throws -> String {
        let cluster = try #require(PrivateDatabase.shared)
        try await prepare(cluster)
        count += 1
        let name = "test_\(count)"
        try await Self.superuser(cluster) { session in
            try await session.script("create database \(name) template prepared owner errand_owner", stage: "copy")
        }
        return name
    }

    private func prepare(_ cluster: PrivateDatabase) async throws {
        while isPreparing { await withCheckedContinuation { waiting.append($0) } }
        guard !isPrepared else { return }
        isPreparing = true
        defer {
            isPreparing = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        try await cluster.start()
        let loop = try EventLoop.start(name: "prepare")
        defer { loop.stop() }
        _ = try await loop.run {
            try await DatabaseBootstrap.prepare(
                superuser: ConnectionParameters(cluster.superuser),
                database: "prepared",
                passwords: RolePasswords(owner: "one", app: "two", audit: "three"),
                migrations: Self.migrations,
                on: loop
            )
        }
        isPrepared = true
    }

    /// Runs a body with a session of the superuser.
    static func superuser<Value: Sendable>(
        _ cluster: PrivateDatabase,
        database: String = "postgres",
        _ body: @escaping @Sendable (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        let loop = try EventLoop.start(name: "superuser")
        defer { loop.stop() }
        return try await loop.run {
            let parameters = try ConnectionParameters(cluster.connection(database: database, user: "postgres"))
            let session = try await PostgresConnection.open(parameters, on: loop)
            defer { session.close() }
            return try await body(session)
        }
    }
}

extension String {
    /// What stands before the first occurrence of a mark.
    func components(before mark: String) -> String {
        var place = startIndex
        while place < endIndex, !self[place...].hasPrefix(mark) { place = index(after: place) }
        return String(self[..<place])
    }
}
