import Operations
package import Platform
import Store

/// `errand migrate`: brings the database's schema up to date, as its owner.
package struct Migrate: Verb {
    package static let words = ["migrate"]
    package static let usage = ""
    package static let summary = "Apply the migrations to the database in ERRAND_OWNER_DATABASE_URL."

    package init(_ arguments: Arguments) throws(UsageError) {
        _ = try arguments.exactly()
    }

    package func run(on loop: EventLoop, _ terminal: Terminal) async throws -> Int32 {
        guard let url = try Configuration.load().ownerDatabaseURL else {
            throw CommandFailure("ERRAND_OWNER_DATABASE_URL is not set: name PostgreSQL as the role errand_owner")
        }
        let database = try ConnectionParameters(url.reveal())
        let applied = try await Migrator(directory: SharedFiles.migrations, loop: loop).migrate(database)
        for name in applied { terminal.print(name) }
        terminal.note(applied.isEmpty ? "the schema is up to date" : "applied \(applied.count) migrations")
        return ExitCode.done
    }
}
