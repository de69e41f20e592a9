import Core
import Platform

/// Keeps the queue true to the store: sweeps, reaps, and rebuilds what Redis lost; one loop per replica runs it.
///
/// Every step is a compare-and-set, so several replicas at once do no harm. Logs are read and teams taken apart beside
/// the sweeps, since either may take minutes.
package final class QueueCare {
    private let services: Services
    private let rebuild: () async throws -> Void
    private var isStopped = false
    private var running = 0
    private let change = LoopCondition()

    /// A hint may be missing this long before it is given again.
    private static let staleAfter = Duration.seconds(3)
    private static let interval = Duration.seconds(1)
    private static let batch = 1_000
    /// What a team's end leaves to do is looked for this often; it waits for nothing but a week's end.
    private static let endingInterval = Duration.seconds(5)
    /// Counted changes that are added up together: more than a second makes.
    private static let foldBatch = 20_000
    /// What has served its time is looked for this often.
    private static let pruneInterval = Duration.seconds(60)
    /// As many of a sort in one statement as fit its time many times over; it is repeated until fewer are left.
    private static let pruneBatch = 20_000

    /// `rebuild` fills a lost queue from the store.
    package init(_ services: Services, rebuild: @escaping () async throws -> Void) {
        self.services = services
        self.rebuild = rebuild
    }

    /// Works until stopped and until every step has ended.
    ///
    /// One time-to-live passes before the attempts of silent workers are taken, so that these may renew their leases
    /// after a restart; a worker that is back in a new session will not report those of its old one.
    package func run() async {
        let (loop, started) = (services.loop, services.loop.now)
        let (reaper, endings) = (AttemptReaper(services), TeamEndings(services))
        func includesSilent() -> Bool { loop.now - started > LeaseTimes.timeToLive }
        every(Self.interval) { [self] in try await sweep() }
        every(Self.interval) { try await reaper.requeue(includesSilent: includesSilent()) }
        every(Self.interval) { [self] in
            try await reaper.end(includesSilent: includesSilent()) { !self.isStopped }
        }
        every(Self.interval) { [services] in
            try await services.quotas.fold(now: services.time.now, limit: QueueCare.foldBatch)
        }
        every(Self.pruneInterval) { [self] in
            var removed = QueueCare.pruneBatch
            while removed >= QueueCare.pruneBatch, !isStopped {
                removed = try await services.signInThrottle.prune(now: services.time.now, limit: QueueCare.pruneBatch)
            }
        }
        every(Self.pruneInterval) { [services] in
            try await services.identities.expire(now: services.time.now, limit: QueueCare.pruneBatch)
        }
        every(Self.interval) { [self] in try await settleRevoked() }
        every(Self.pruneInterval) { [services] in
            _ = try await services.quotas.prune(now: services.time.now, limit: QueueCare.pruneBatch)
        }
        every(Self.endingInterval) { try await endings.sweep() }
        await ended()
    }

    /// Has `run` end after the steps it is at.
    package func stop() {
        isStopped = true
        change.signalAll()
    }

    /// Waits until no step is under way any more.
    package func ended() async {
        while running > 0 { await change.wait() }
    }

    /// Repeats a step until stopped, in a task of its own.
    private func every(_ interval: Duration, _ step: @escaping () async throws -> Void) {
        running += 1
        services.loop.spawnLocal { [self] in
            while !isStopped {
                // A store that is away is tried again at the next turn; nothing is lost meanwhile.
                try? await step()
                if !isStopped { _ = await change.wait(timeout: interval, on: services.loop) }
            }
            running -= 1
            change.signalAll()
        }
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

    /// Ends what waits for workspaces that went with revoked workers.
    private func settleRevoked() async throws {
        let failed = try await services.workers.settleRevoked(now: services.time.now, limit: QueueCare.batch)
        for job in failed { services.bus.publish(BusChannel.job(job), []) }
    }
}
