import Core

/// Which attempts are a worker's own: one that knows another worker's job can neither end it nor write its log.
///
/// The worker of an attempt never changes, so what was once found true stays so; the epoch is not asked for, because a
/// late end of a worker that came back still counts.
final class AttemptOwnership {
    /// Bounds memory; past it what was known is asked for again.
    private static let capacity = 10_000

    private let worker: WorkerID
    private let jobs: any JobStore
    private var owned: Set<AttemptID> = []

    init(of worker: WorkerID, jobs: any JobStore) {
        self.worker = worker
        self.jobs = jobs
    }

    /// Notes attempts that were just claimed for the worker.
    func note(_ attempts: some Sequence<AttemptID>) {
        if owned.count >= AttemptOwnership.capacity { owned.removeAll(keepingCapacity: true) }
        owned.formUnion(attempts)
    }

    /// Whether an attempt is the worker's.
    func contains(_ attempt: AttemptID) async throws(StoreError) -> Bool {
        if owned.contains(attempt) { return true }
        guard let job = try await jobs.job(attempt.job, scope: .system)?.value, job.workerID == worker,
            job.attempt == attempt.attempt
        else { return false }
        note([attempt])
        return true
    }
}
