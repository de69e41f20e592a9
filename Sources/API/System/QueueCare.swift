import Core
import Platform

/// Keeps the queue true to the store: sweeps, reaps, and rebuilds what Redis lost; one loop per replica runs it.
package final class QueueCare {
    private let services: Services
    private let isLeader: () async -> Bool
    private var isStopped = false
    private let change = LoopCondition()

    /// A hint may be missing this long before it is given again.
    private static let staleAfter = Duration.seconds(3)
    private static let interval = Duration.seconds(1)
    private static let batch = 1_000

    /// `isLeader` says whether this replica holds the advisory lock now.
    package init(_ services: Services, isLeader: @escaping () async -> Bool) {
        self.services = services
        self.isLeader = isLeader
    }

    /// Works until stopped; one time-to-live passes first, so that workers may renew leases after a restart.
    package func run() async {
        let started = services.loop.now
        while !isStopped {
            if await isLeader() {
                try? await sweep()
                if services.loop.now - started > LeaseTimes.timeToLive { try? await reap() }
            }
            _ = await change.wait(timeout: QueueCare.interval, on: services.loop)
        }
    }

    /// Ends `run` after the step it is at.
    package func stop() {
        isStopped = true
        change.signalAll()
    }

    private func sweep() async throws(StoreError) {
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

    private func rebuild() async throws(StoreError) {
        guard await services.queue.beginRebuild() else { return }
        var cursor: JobID?
        while true {
            let hints = try await services.jobs.queued(after: cursor, limit: QueueCare.batch)
            if hints.isEmpty { break }
            await services.queue.push(hints)
            cursor = hints.last?.job
        }
        await services.queue.rebuilt()
    }
}
