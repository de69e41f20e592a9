import Core
import Log
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
    /// Attempts that are reaped together: the log of each that is final is read before.
    private static let reapBatch = 32
    /// What a team's end leaves to do is looked for this often; it waits for nothing but a week's end.
    private static let endingInterval = Duration.seconds(5)
    /// Counted changes that are added up together: more than a second makes.
    private static let foldBatch = 20_000
    /// What has served its time is looked for this often.
    private static let pruneInterval = Duration.seconds(60)
    /// As many at once: more than the sign-ins of that time can leave behind.
    private static let pruneBatch = 20_000
    private var nextEnding: Instant?
    private var nextPrune: Instant?

    /// `rebuild` fills a lost queue from the store.
    package init(_ services: Services, rebuild: @escaping () async throws -> Void) {
        self.services = services
        self.rebuild = rebuild
    }

    /// Works until stopped.
    ///
    /// One time-to-live passes before the attempts of silent workers are taken, so that these may renew their leases
    /// after a restart; a worker that is back in a new session will not report those of its old one.
    package func run() async {
        let started = services.loop.now
        while !isStopped {
            // A store that is away is tried again at the next turn; nothing is lost meanwhile.
            try? await sweep()
            try? await reap(includesSilent: services.loop.now - started > LeaseTimes.timeToLive)
            try? await services.quotas.fold(now: services.time.now, limit: QueueCare.foldBatch)
            if nextEnding.map({ services.loop.now >= $0 }) ?? true {
                nextEnding = services.loop.now.advanced(by: QueueCare.endingInterval)
                try? await TeamEndings(services).sweep()
            }
            if nextPrune.map({ services.loop.now >= $0 }) ?? true {
                nextPrune = services.loop.now.advanced(by: QueueCare.pruneInterval)
                try? await services.signInThrottle.prune(now: services.time.now, limit: QueueCare.pruneBatch)
            }
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

    private func reap(includesSilent: Bool) async throws(StoreError) {
        var lost = try await services.jobs.lost(
            now: services.time.now,
            includesSilent: includesSilent,
            limit: QueueCare.batch
        )[...]
        while !lost.isEmpty, !isStopped {
            var batch = Array(lost.prefix(QueueCare.reapBatch))
            lost = lost.dropFirst(batch.count)
            for index in batch.indices where batch[index].isLast {
                batch[index].log = try await logState(of: batch[index].attempt)
            }
            let (requeued, failed) = try await services.jobs.reap(
                batch,
                now: services.time.now,
                includesSilent: includesSilent
            )
            if !requeued.isEmpty { await services.queue.push(requeued) }
            for job in requeued.map(\.job) + failed.map(\.id) { services.bus.publish(BusChannel.job(job), []) }
        }
    }

    private func logState(of attempt: AttemptID) async throws(StoreError) -> LostAttempt.LogState {
        do throws(StoreError) {
            return .end(try await StoredLog.end(of: attempt, in: services.log))
        } catch {
            // A job must not run for ever because its log cannot be read.
            guard case .failed = error else { throw error }
            return .damaged
        }
    }
}
