import API
import Bytes
import Core
import Platform
import Queue
import Store

/// What readiness and metrics say of one loop's connections and of all jobs.
final class ProcessHealth: HealthChecks {
    private let store: Store
    private let queue: Queue
    private let started: Timestamp

    init(store: Store, queue: Queue, started: Timestamp) {
        self.store = store
        self.queue = queue
        self.started = started
    }

    func isDatabaseReady() async -> Bool { await store.ping() }

    func isQueueReady() async -> Bool { await queue.ping() }

    func metrics() async -> [UInt8] {
        var text = """
            # HELP errand_start_time_seconds When this process started, in seconds since 1970.
            # TYPE errand_start_time_seconds gauge
            errand_start_time_seconds \(Double(started.milliseconds) / 1_000)
            # HELP errand_redis_up Whether Redis answers.
            # TYPE errand_redis_up gauge
            errand_redis_up \(await queue.ping() ? 1 : 0)

            """
        guard let counts = try? await store.jobs.counts() else {
            return Array((text + Self.databaseUp + "errand_postgres_up 0\n").utf8)
        }
        text += Self.databaseUp + "errand_postgres_up 1\n"
        text += "# HELP errand_jobs Jobs that are not finished, by state.\n# TYPE errand_jobs gauge\n"
        for state in JobState.allCases where !state.isFinal {
            text += "errand_jobs{state=\"\(state.rawValue)\"} \(counts[state] ?? 0)\n"
        }
        return Array(text.utf8)
    }

    private static let databaseUp = """
        # HELP errand_postgres_up Whether PostgreSQL answers.
        # TYPE errand_postgres_up gauge

        """
}
