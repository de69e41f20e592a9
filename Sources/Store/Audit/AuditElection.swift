package import Core
package import Platform

/// Elects the one process of all replicas that signs the audit log: whoever holds an advisory lock, on a session of its own.
///
/// A session that is lost takes the lock with it, so that another process takes over by itself.
package final class AuditElection {
    /// Names the lock; any constant that no other program of this database uses.
    private static let key: Int64 = 7_093_301_442

    private let parameters: ConnectionParameters
    private let loop: EventLoop
    private var session: PostgresConnection?
    private var holdsLock = false

    /// Stands for election in a database.
    package init(url: String, loop: EventLoop) throws(StoreError) {
        parameters = try ConnectionParameters(url)
        self.loop = loop
    }

    /// Whether this process is elected now; asks the database unless it was elected before.
    package func isElected() async -> Bool {
        if holdsLock, session?.isOpen == true { return true }
        holdsLock = false
        do {
            if session?.isOpen != true { session = try await PostgresConnection.open(parameters, on: loop) }
            let answer = try await session?.run(Self.tryLock([.bigint(Self.key)]))
            holdsLock = try answer?.first { row throws(StoreError) in try row.value(Bool.self) } ?? false
        } catch {
            resign()
        }
        return holdsLock
    }

    /// Lets another process sign.
    package func resign() {
        holdsLock = false
        session?.close()
        session = nil
    }

    private static let tryLock = PostgresStatement("audit.elect", "select pg_try_advisory_lock($1::bigint)")
}
