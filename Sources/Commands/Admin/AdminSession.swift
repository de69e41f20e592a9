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

    /// Opens the database that ERRAND_DATABASE_URL names, or that of an `errand up`, runs `body`, and closes it.
    static func run<Value>(
        _ arguments: Arguments,
        on loop: EventLoop,
        _ body: (Store) async throws -> Value
    ) async throws -> Value {
        let configuration = try Configuration.load()
        let directory = arguments.value("--data") ?? configuration.dataDirectory
        let url: String
        if arguments.value("--data") == nil, let named = configuration.databaseURL {
            url = named.reveal()
        } else if let running = try? RunningInstallation.read(directory) {
            url = running.databaseURL
        } else {
            throw CommandFailure(
                "no database: set ERRAND_DATABASE_URL, or name the directory of a running `errand up` with --data DIR",
                exitCode: ExitCode.unavailable
            )
        }
        let store = try Store(configuration: StoreConfiguration(url: url, connections: 1), loop: loop)
        do throws(StoreError) {
            try await store.start()
        } catch {
            throw CommandFailure("the database cannot be reached: \(error)", exitCode: ExitCode.unavailable)
        }
        do {
            let value = try await body(store)
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }
}
