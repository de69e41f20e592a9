import Auth
import Platform

/// Hashes passwords for all loops, within bounds: a flood of sign-ins starves nothing else, and one holder no other.
package final class PasswordPool: Sendable {
    private let threads: ThreadPool
    private let share: Int
    private let held = Lock<[[UInt8]: Int]>([:])
    private let onCheck: @Sendable (String) -> Void

    /// Makes a pool of so many threads and places behind them, of which one holder has at most a quarter; `onCheck` is told
    /// of each stored hash that a password is checked against.
    package init(threads: Int, queueLimit: Int, onCheck: @escaping @Sendable (String) -> Void = { _ in }) {
        self.threads = ThreadPool(name: "passwords", threads: threads, queueLimit: queueLimit)
        self.onCheck = onCheck
        share = max(1, (threads + queueLimit) / 4)
    }

    /// Whether a password is that of a stored hash, checked on behalf of a holder.
    func admits(_ password: String, _ stored: String, for holder: [UInt8]) async throws -> Bool {
        try await run(for: holder) { [onCheck] in
            onCheck(stored)
            return try PasswordCheck.admits(password, stored)
        }
    }

    /// Runs the body on a thread of the pool; throws `PoolFull` at the limit.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await threads.run(body)
    }

    /// The same on behalf of whoever could ask without end; throws `PoolFull` when that one's share is taken.
    package func run<Value: Sendable>(
        for holder: [UInt8],
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let share = share
        let isAdmitted = held.withLock { held in
            guard held[holder, default: 0] < share else { return false }
            held[holder, default: 0] += 1
            return true
        }
        guard isAdmitted else { throw PoolFull(pool: "passwords of one account") }
        defer {
            held.withLock { held in
                let left = held[holder, default: 1] - 1
                held[holder] = left == 0 ? nil : left
            }
        }
        return try await threads.run(body)
    }
}
