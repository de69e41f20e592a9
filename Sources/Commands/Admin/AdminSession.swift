import Core
import Operations
import Platform
import Store

/// The options that every administrative verb has.
enum AdminOptions {
    static let data = Option("--data", "DIR", "the data directory of `errand up` (default: ERRAND_DATA)")
    static let json = Option("--json", "print JSON")
}

/// A session with the database for administrative verbs, which run beside the server and need no sign-in.
struct AdminSession {
    let store: Store
    /// The data directory of the `errand up` whose database it is; nil for one that was named by its URL.
    let directory: String?
    /// False while the database runs for this session alone.
    let isServed: Bool
    private let url: String

    /// Opens the database that ERRAND_DATABASE_URL names, or that of an `errand up`, runs `body`, and closes it.
    ///
    /// One that does not run has its database started for this.
    static func run<Value>(
        _ arguments: Arguments,
        on loop: EventLoop,
        _ body: (Store) async throws -> Value
    ) async throws -> Value {
        try await open(arguments, on: loop) { try await body($0.store) }
    }

    /// The same, for verbs that ask where they are.
    static func open<Value>(
        _ arguments: Arguments,
        on loop: EventLoop,
        _ body: (AdminSession) async throws -> Value
    ) async throws -> Value {
        let configuration = try Configuration.load()
        let directory = arguments.value("--data") ?? configuration.dataDirectory
        if arguments.value("--data") == nil, let named = configuration.databaseURL {
            return try await open(named.reveal(), nil, isServed: true, on: loop, body)
        }
        if let running = try? await RunningInstallation.find(directory) {
            return try await open(running.databaseURL, directory, isServed: true, on: loop, body)
        }
        guard await StoppedInstallation.isThere(directory) else {
            throw CommandFailure(
                "\(directory) is no directory of `errand up`: name one with --data DIR, or set ERRAND_DATABASE_URL",
                exitCode: ExitCode.unavailable
            )
        }
        Terminal().note("`errand up` does not run in \(directory): starting its database for this")
        return try await StoppedInstallation.run(directory, on: loop) { url in
            try await open(url, directory, isServed: false, on: loop, body)
        }
    }

    private static func open<Value>(
        _ url: String,
        _ directory: String?,
        isServed: Bool,
        on loop: EventLoop,
        _ body: (AdminSession) async throws -> Value
    ) async throws -> Value {
        let store = try Store(configuration: StoreConfiguration(url: url, connections: 1), loop: loop)
        do throws(StoreError) {
            try await store.start()
        } catch {
            throw CommandFailure("the database cannot be reached: \(error)", exitCode: ExitCode.unavailable)
        }
        do {
            let value = try await body(AdminSession(store: store, directory: directory, isServed: isServed, url: url))
            await store.close()
            return value
        } catch {
            await store.close()
            guard case StoreError.quotaExceeded(let name) = error else { throw error }
            throw CommandFailure(
                "the team has all that its quota \(name.rawValue) allows: `errand admin limit set` changes it"
            )
        }
    }
}

extension AdminSession {
    /// The same database as the owner of its tables; nil when nobody named one.
    ///
    /// Only who may read the installation's secrets gets it.
    func ownerURL() async throws -> Secret? {
        guard let directory else { return try Configuration.load().ownerDatabaseURL }
        let role = PrivatePostgres.Role.owner.rawValue
        let path = "\(directory)/secrets/postgres-\(role)"
        let bytes = try await BlockingPool.run { try Files.readAll(path, limit: 4_096) }
        let password = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }
        return url.split(separator: "@", maxSplits: 1).last.map { Secret("postgresql://\(role):\(password)@\($0)") }
    }
}
