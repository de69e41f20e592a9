import Operations
import Platform
import Store

/// The database of an `errand up` that does not run, started for the moment of one administrative verb.
///
/// The lock of its directory is held meanwhile: an `errand up` that comes in between says who has it.
struct StoppedInstallation {
    /// Whether a directory is one of `errand up`; nothing is made in any other.
    static func isThere(_ directory: String) async -> Bool {
        await (try? BlockingPool.run { Files.exists("\(directory)/postgres") && Files.exists("\(directory)/secrets") })
            ?? false
    }

    /// Starts PostgreSQL with the schema of this program, runs `body` with its address, and stops it again.
    static func run<Value>(
        _ directory: String,
        on loop: EventLoop,
        _ body: (_ databaseURL: String) async throws -> Value
    ) async throws -> Value {
        let log = try StructuredLog(level: .error)
        defer { log.close() }
        let data = try await DataDirectory.open(directory, on: loop)
        let postgres = try await PrivatePostgres.prepare(in: data, log: log, loop: loop)
        let supervisor = Supervisor(services: [postgres.service], log: log, loop: loop)
        do {
            try await supervisor.start()
            try await postgres.makeCurrent(on: loop)
            let value = try await body(postgres.url(role: .app).reveal())
            await supervisor.stop()
            return value
        } catch {
            await supervisor.stop()
            throw error
        }
    }
}

extension PrivatePostgres {
    /// Makes roles, database and schema what this program expects; the server must be ready.
    func makeCurrent(on loop: EventLoop) async throws {
        try await bootstrap()
        let database = try ConnectionParameters(url(role: .superuser).reveal())
        _ = try await Migrator(directory: SharedFiles.migrations, loop: loop).migrate(database)
    }
}
