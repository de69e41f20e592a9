import FoundationEssentials
import Platform
import Store
import TestSupport
import Testing

/// Migrated, empty databases for the tests of operations, each used by one test.
actor APIDatabases {
    static let shared = APIDatabases()
    private static let migrations =
        #filePath.components(separatedBy: "/Tests/").dropLast().joined(separator: "/Tests/") + "/migrations"

    private var count = 0
    private var isBusy = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// The connection string, for the servers' role, of a database that no other test has.
    func fresh() async throws -> String {
        while isBusy { await withCheckedContinuation { waiting.append($0) } }
        isBusy = true
        defer {
            isBusy = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        let cluster = try #require(PrivateDatabase.shared)
        try await cluster.start()
        count += 1
        let name = "api_test_\(count)"
        let loop = try EventLoop.start(name: "prepare")
        defer { loop.stop() }
        _ = try await loop.run {
            try await DatabaseBootstrap.prepare(
                superuser: ConnectionParameters(cluster.superuser),
                database: name,
                passwords: RolePasswords(owner: "one", app: "two", audit: "three"),
                migrations: Self.migrations,
                on: loop
            )
        }
        return cluster.connection(database: name, user: "errand_app")
    }
}
