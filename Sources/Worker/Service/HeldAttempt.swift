import Core

/// An attempt this worker answers for: it runs, or it has ended without an acknowledgement.
///
/// Loop-confined.
final class HeldAttempt {
    let attempt: AttemptID
    let spool: AttemptSpool
    /// Runs it; nil for one that an earlier process ran.
    var runner: AttemptRunner?
    /// The log that an earlier process left, until the API has said how much of it is stored.
    var leftover: (tally: LogTally, end: AttemptEnd?)?
    var occupiesSlot: Bool
    var end: AttemptEnd?
    /// Whether the present control socket was told of the start and of the end.
    var isStartTold = false
    var isEndTold = false
    /// Whether the present bulk socket was told that nothing more comes.
    var isEndMarked = false

    /// Holds an attempt.
    init(_ attempt: AttemptID, spool: AttemptSpool, occupiesSlot: Bool) {
        self.attempt = attempt
        self.spool = spool
        self.occupiesSlot = occupiesSlot
    }

    /// The end to report now: the log is stored at the API, as it must be first.
    var reportableEnd: AttemptEnd? {
        guard let end, !isEndTold, spool.durable == end.logEnd.lastSeq else { return nil }
        return end
    }
}
