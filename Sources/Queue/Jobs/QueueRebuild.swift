package import Core

/// Fills a lost queue from the store; whoever runs it holds the lock that lets one process do so at a time.
package struct QueueRebuild {
    /// Hints per round trip to the store.
    private static let pageSize = 5_000

    private let queue: any JobQueue
    private let queued: (JobID?, Int) async throws(StoreError) -> [JobHint]

    /// Rebuilds `queue` from what `queued` gives: the jobs after a cursor in id order, `JobStore.queued`.
    package init(
        queue: any JobQueue,
        queued: @escaping (JobID?, Int) async throws(StoreError) -> [JobHint]
    ) {
        self.queue = queue
        self.queued = queued
    }

    /// Walks all queued jobs and declares the queue whole; nil when Redis is away, else how many hints were pushed.
    package func run() async throws(StoreError) -> Int? {
        guard await queue.beginRebuild() else { return nil }
        var cursor: JobID?
        var count = 0
        while true {
            let page = try await queued(cursor, Self.pageSize)
            guard let last = page.last else { break }
            await queue.push(page)
            count += page.count
            cursor = last.job
        }
        await queue.rebuilt()
        return count
    }
}
