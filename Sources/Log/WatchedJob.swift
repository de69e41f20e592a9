import Bytes
import Core

/// What the viewers of one job on one loop share: the live ring, the job's row, and one poll for all of them.
final class WatchedJob {
    /// The backstop for messages that the bus lost, while the job runs.
    private static let runningPoll = Duration.seconds(1)
    /// A page left open on a job that waits for hours costs one query in this time.
    private static let longestPoll = Duration.seconds(8)

    let ring: LiveRing
    private(set) var row: Job?
    /// The last durable record of the row's attempt, as of the last refresh.
    private(set) var durable = LogPosition.start
    private(set) var pollInterval = WatchedJob.runningPoll
    var viewers = 0
    /// Counts what was heard and read, so that nobody waits for news that came before the wait began.
    private(set) var news: UInt64 = 0

    private let ports: LogPorts
    private let signal: any Waiter
    private let pause: any Waiter
    private var subscriptions: [any BusSubscription] = []
    private var isRefreshing = false
    private var refreshedAt: Timestamp?

    init(job: JobID, ports: LogPorts, ringCapacity: Int) {
        self.ports = ports
        ring = LiveRing(job: job, capacity: ringCapacity)
        signal = ports.makeWaiter()
        pause = ports.makeWaiter()
    }

    func subscribe() {
        let job = ring.job
        subscriptions = [
            ports.bus.subscribe(BusChannel.log(job)) { [weak self] in self?.heard { $0.receiveLog($1) }($0) },
            ports.bus.subscribe(BusChannel.job(job)) { [weak self] in self?.heard { $0.receiveState($1) }($0) },
        ]
    }

    func unsubscribe() {
        for subscription in subscriptions { subscription.cancel() }
        subscriptions = []
    }

    /// Reads the job's row when it may have changed; one viewer reads for all.
    ///
    /// While the store is away the last known row stands, so that live records keep flowing; the poll tries again.
    func refresh() async throws(StoreError) {
        guard !isRefreshing, row == nil || ring.needsRefresh || isPollDue else { return }
        let wasTold = ring.needsRefresh
        ring.needsRefresh = false
        refreshedAt = ports.clock.now
        isRefreshing = true
        // A poll that finds nothing new wakes nobody; a failure does, for the next viewer to try.
        var isNews = true
        defer {
            isRefreshing = false
            if isNews { wake() }
        }
        do throws(StoreError) {
            isNews = try await read(wasTold: wasTold)
        } catch {
            pollInterval = Self.runningPoll
            guard case .unavailable = error, row != nil else { throw error }
        }
    }

    /// Waits for a message, a refreshed row or the next poll; not at all when there was news since `seen`.
    func wait(since seen: UInt64) async {
        // Told of a change while reading the row: the next refresh must not be slept through.
        guard news == seen, isRefreshing || !ring.needsRefresh else { return }
        await signal.wait(timeout: pollInterval)
    }

    /// Waits out a fixed time whatever the bus says.
    func pause(_ duration: Duration) async { await pause.wait(timeout: duration) }

    func wakeAll() {
        wake()
        pause.signal()
    }

    private func wake() {
        news &+= 1
        signal.signal()
    }

    private var isPollDue: Bool {
        guard let refreshedAt else { return true }
        let now = ports.clock.now
        return now < refreshedAt || now - refreshedAt >= pollInterval
    }

    /// Reads the row and the durable position; true when either has changed.
    private func read(wasTold: Bool) async throws(StoreError) -> Bool {
        guard let job = try await ports.loadJob(ring.job) else { throw .notFound }
        let isUnchanged = job == row
        let before = durable
        row = job
        ring.rowAttempt = job.attempt
        if job.state == .running || job.state == .paused {
            let attempt = AttemptID(job: job.id, attempt: job.attempt)
            durable = LogPosition(attempt: job.attempt, seq: try await ports.store.durable(attempt))
            pollInterval = Self.runningPoll
        } else {
            pollInterval = isUnchanged && !wasTold ? min(pollInterval * 2, Self.longestPoll) : Self.runningPoll
        }
        return !isUnchanged || durable != before
    }

    private func heard(_ take: @escaping (LiveRing, [UInt8]?) -> Void) -> ([UInt8]?) -> Void {
        { message in
            take(self.ring, message)
            self.pollInterval = Self.runningPoll
            self.wake()
        }
    }
}
