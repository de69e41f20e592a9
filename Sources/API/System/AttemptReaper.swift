import Core
import Log
import Platform

/// Settles the attempts of workers that are gone: back to the queue, or to their end with the log that is stored.
final class AttemptReaper {
    private let services: Services

    /// Attempts that are looked at in one turn.
    private static let limit = 1_000
    /// Attempts that one transaction settles.
    private static let batch = 32
    /// What was read waits no longer than this for company.
    private static let patience = Duration.seconds(1)

    init(_ services: Services) {
        self.services = services
    }

    /// Gives back to the queue what has tries left: of these nothing has to be read.
    func requeue(includesSilent: Bool) async throws(StoreError) {
        var again = try await lost(includesSilent).filter { !$0.isLast }[...]
        while !again.isEmpty {
            try await settle(Array(again.prefix(Self.batch)), includesSilent)
            again = again.dropFirst(Self.batch)
        }
    }

    /// Ends what has no tries left, after reading the log of each, which may take minutes.
    func end(includesSilent: Bool, while goesOn: () -> Bool) async throws(StoreError) {
        var read: [LostAttempt] = []
        var since = services.loop.now
        for var attempt in try await lost(includesSilent) where attempt.isLast {
            guard goesOn() else { return }
            attempt.log = try await logState(of: attempt.attempt)
            read.append(attempt)
            guard read.count == Self.batch || services.loop.now - since >= Self.patience else { continue }
            try await settle(read, includesSilent)
            read = []
            since = services.loop.now
        }
        try await settle(read, includesSilent)
    }

    private func lost(_ includesSilent: Bool) async throws(StoreError) -> [LostAttempt] {
        try await services.jobs.lost(now: services.time.now, includesSilent: includesSilent, limit: Self.limit)
    }

    private func settle(_ attempts: [LostAttempt], _ includesSilent: Bool) async throws(StoreError) {
        let (requeued, failed) = try await services.jobs.reap(
            attempts,
            now: services.time.now,
            includesSilent: includesSilent
        )
        if !requeued.isEmpty { await services.queue.push(requeued) }
        for job in requeued.map(\.job) + failed.map(\.id) { services.bus.publish(BusChannel.job(job), []) }
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
