import Core
import Platform

/// Keeps the queue true to the store: sweeps, reaps, and rebuilds what Redis lost; one loop per replica runs it.
///
/// Every step is a compare-and-set, so several replicas at once do no harm.
package final class QueueCare {
    private let services: Services
    private let rebuild: () async throws -> Void
    private var isStopped = false
    private let change = LoopCondition()

    /// A hint may be missing this long before it is given again.
    private static let staleAfter = Duration.seconds(3)
    private static let interval = Duration.seconds(1)
    private static let batch = 1_000

    /// `rebuild` fills a lost queue from the store.
    package init(_ services: Services, rebuild: @escaping () async throws -> Void) {
        self.services = services
        self.rebuild = rebuild
    }

    /// Works until stopped; one time-to-live passes first, so that workers may renew leases after a restart.
    package func run() async {
        let started = services.loop.now
        while !isStopped {
            // A store that is away is tried again at the next turn; nothing is lost meanwhile.
            try? await sweep()
            if services.loop.now - started > LeaseTimes.timeToLive { try? await reap() }
            _ = await change.wait(timeout: QueueCare.interval, on: services.loop)
        }
    }

    /// Ends `run` after the step it is at.
    package func stop() {
        isStopped = true
        change.signalAll()
    }

    private func sweep() async throws {
        if case .lost = await services.queue.pop(classes: [], limit: 0) { try await rebuild() }
        let hints = try await services.jobs.sweep(
            now: services.time.now,
            staleAfter: QueueCare.staleAfter,
            limit: QueueCare.batch
        )
        if !hints.isEmpty { await services.queue.push(hints) }
    }

    private func reap() async throws(StoreError) {
        let (requeued, failed) = try await services.jobs.reap(now: services.time.now, limit: QueueCare.batch)
        if !requeued.isEmpty { await services.queue.push(requeued) }
        for job in requeued.map(\.job) + failed.map(\.id) { services.bus.publish(BusChannel.job(job), []) }
    }
}
