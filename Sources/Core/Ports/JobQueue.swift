/// What a pop of the queue gave.
package enum QueuePop: Sendable {
    case jobs([JobID])
    /// The queue lost its memory or cannot be reached: claim from the store, and rebuild.
    case lost
}

/// The queue: hints of what is ready, rebuildable from the store at any time.
package protocol JobQueue: AnyObject {
    /// Adds hints and wakes waiting claims; failures are swallowed, the sweep repairs them.
    func push(_ hints: [JobHint]) async
    /// Takes up to `limit` due ids from the classes, each team with work in its turn.
    func pop(classes: [PlacementClass], limit: Int) async -> QueuePop
    /// Drops everything and begins a new epoch; the caller pushes all queued jobs, then calls `rebuilt`.
    func beginRebuild() async -> Bool
    /// Declares the queue whole again.
    func rebuilt() async
}

/// The live tail of the logs and the way from one process to another; loses everything without harm.
package protocol LiveTail: AnyObject {
    /// Keeps records in the bounded tail of an attempt and tells its subscribers.
    func append(_ records: [LogRecord], to attempt: AttemptID) async
    /// Records of the tail after `seq`, in order; empty when the tail begins later or is gone.
    func read(_ attempt: AttemptID, after seq: UInt64, limit: Int) async -> [LogRecord]
}

/// A running subscription; ends when cancelled.
package protocol BusSubscription: AnyObject {
    /// Ends it; no callback comes afterwards.
    func cancel()
}

/// Messages between processes and loops: at most once, in order per sender, gone when nobody listens.
package protocol MessageBus: AnyObject {
    /// Sends a message to a channel; best effort.
    func publish(_ channel: String, _ message: [UInt8])
    /// Calls back on this loop for each message of a channel, and with nil after a loss of connection (messages may be missing).
    func subscribe(_ channel: String, _ onMessage: @escaping ([UInt8]?) -> Void) -> any BusSubscription
}

/// The channels of the bus.
package enum BusChannel {
    /// Says that hints were pushed, so that claims may try again (an empty message).
    package static let wake = "wake"
    /// Record frames of any attempt of a job, each message: u32 attempt, frames (LogRecordCodec).
    package static func log(_ job: JobID) -> String { "log:\(job)" }
    /// Says that a job changed its state: read the store (an empty message).
    package static func job(_ job: JobID) -> String { "job:\(job)" }
    /// A worker has something to do at once: the message is a job id whose cancel was requested.
    package static func worker(_ worker: WorkerID) -> String { "worker:\(worker)" }
    /// Says that workspaces of projects that are no more are to be removed (an empty message).
    package static let removals = "removals"
    /// Says that a person is no member of a team any more; the message is both ids with a space between.
    package static let departed = "departed"
    /// Says that a sign-in or an account was revoked; the message is its id.
    package static let revoked = "revoked"
}
