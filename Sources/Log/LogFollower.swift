import Bytes
package import Core

/// One viewer's cursor: joins stored and live records without a hole and without a repeat, resumable anywhere.
///
/// It listens to the bus before it reads storage, so nothing can fall between the two, and takes from each source only
/// what follows its position. It keeps no records itself, so a slow viewer costs no memory and loses nothing.
package final class LogFollower {
    /// The last record given out.
    package internal(set) var position: LogPosition

    let job: JobID
    let hub: LogHub
    let watched: WatchedJob
    var source = Source.storage
    var seenBreaks = 0
    /// Where the last flight from live to storage began; the same place twice means waiting, not spinning.
    var fledFrom: LogPosition?
    /// The attempt whose `job:started` was sent, or which the viewer had joined before.
    var startedAttempt: Int

    private let encodeJob: (Job) -> [UInt8]
    private var announced: Announcement?
    private var seenNews: UInt64 = 0
    private var isEnded = false
    private var isClosed = false

    /// Where the next records come from.
    enum Source: Equatable {
        case storage
        case tail(thenStorage: Bool)
        case live
    }

    /// What one attempt gave.
    package enum Attempt: Sendable {
        /// At least one event.
        case events([FollowedEvent])
        /// Nothing yet: `rest` and try again.
        case rest(Rest)
        /// The stream has ended after `job:completed`, or was closed.
        case ended
    }

    /// What a viewer with nothing to send waits for.
    package enum Rest: Sendable {
        /// Something heard of the job, or the next poll.
        case news
        /// Storage, which must come first; hearing more would not help.
        case starved
        /// A store that is away.
        case outage
    }

    /// What one step of following came to.
    enum Step {
        /// Go on at once.
        case progress
        /// Nothing to give until something is heard.
        case idle
        /// Nothing to give, and hearing more would not help: storage must come first.
        case starved
        case ended
    }

    private struct Announcement: Equatable {
        var state: JobState
        var attempt: Int
        var isCancelRequested: Bool
    }

    /// Long enough for the buffered records of a log to become durable.
    private static let starvedPause = Duration.milliseconds(250)
    /// The pace of attempts while the store is away.
    private static let outagePause = Duration.seconds(1)

    init(job: JobID, after position: LogPosition, hub: LogHub, encodeJob: @escaping (Job) -> [UInt8]) {
        self.job = job
        self.hub = hub
        self.encodeJob = encodeJob
        self.position = position
        startedAttempt = position.seq > 0 ? position.attempt : position.attempt - 1
        watched = hub.join(job)
        seenBreaks = watched.ring.breaks
    }

    /// The next events, at least one; none when the stream has ended after `job:completed`, or was closed.
    ///
    /// An outage of the store is waited out once the stream has begun; `notFound` means that the job is gone.
    package func next() async throws(StoreError) -> [FollowedEvent] {
        while true {
            switch try await attempt() {
            case .events(let events): return events
            case .rest(let rest): await self.rest(rest)
            case .ended: return []
            }
        }
    }

    /// What is there now, without waiting for more: for a viewer that keeps no deep task while nothing happens.
    package func attempt() async throws(StoreError) -> Attempt {
        while !isClosed, !isEnded {
            var batch = EventBatch()
            do throws(StoreError) {
                try await watched.refresh()
                seenNews = watched.news
                guard let row = watched.row else { return .rest(.news) }
                announce(row, in: &batch)
                let step = try await advance(row, &batch)
                isEnded = step == .ended
                if !batch.events.isEmpty { return isClosed ? .ended : .events(batch.events) }
                switch step {
                case .progress, .ended: continue
                case .idle: return .rest(.news)
                case .starved: return .rest(.starved)
                }
            } catch {
                guard case .unavailable = error, announced != nil else { throw error }
                return batch.events.isEmpty ? .rest(.outage) : .events(batch.events)
            }
        }
        return .ended
    }

    /// Waits as `attempt` asked for.
    package func rest(_ rest: Rest) async {
        guard !isClosed else { return }
        switch rest {
        case .news: await watched.wait(since: seenNews)
        case .starved: await watched.pause(Self.starvedPause)
        case .outage: await watched.pause(Self.outagePause)
        }
    }

    /// Ends the following; must be called once, whatever `next` said.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        hub.leave(watched)
    }

    private func announce(_ row: Job, in batch: inout EventBatch) {
        let news = Announcement(
            state: row.state,
            attempt: row.attempt,
            isCancelRequested: row.cancelRequestedAt != nil
        )
        // The end has its own event, which comes after the last record.
        let isDue = announced == nil || (news != announced && !row.state.isFinal)
        if isDue {
            batch.append(
                LogEvent.state(of: job, attempt: row.attempt, at: hub.ports.clock.now, encodedJob: encodeJob(row))
            )
        }
        announced = news
        guard row.state == .running, let time = row.startedAt, position.attempt == row.attempt, position.seq == 0 else {
            return
        }
        announceStart(at: time, in: &batch)
    }

    func announceStart(at time: Timestamp, in batch: inout EventBatch) {
        guard startedAttempt < position.attempt else { return }
        startedAttempt = position.attempt
        batch.append(LogEvent.started(AttemptID(job: job, attempt: position.attempt), at: time))
    }
}
