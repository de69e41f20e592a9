import Bytes
import Core

/// The live end of one job's log on one loop: encoded once, read by all its viewers, bounded.
///
/// Always one unbroken run of records of one attempt; a viewer that wants what is no longer here reads elsewhere.
final class LiveRing {
    /// What the ring has for a viewer at some position.
    enum Answer {
        case events(ArraySlice<FollowedEvent>)
        /// The viewer is at the head, or on another attempt.
        case nothing
        /// Records between the viewer and the ring are missing.
        case gap
    }

    /// About the size of the tail behind it: falling off it costs a viewer one read elsewhere.
    static let defaultCapacity = 1 << 20

    let job: JobID
    /// Raised each time that messages may have been missed.
    private(set) var breaks = 0
    /// True when the job's row may have changed since it was read.
    var needsRefresh = true
    /// The attempt of the row as it was read: live records of it are no news of the row.
    var rowAttempt = 0
    /// The attempt that live records come from; 0 before the first.
    private(set) var attempt = 0

    private let capacity: Int
    private var events: [FollowedEvent] = []
    /// Events before this index have left the ring.
    private var start = 0
    private var firstSeq: UInt64 = 1
    private var bytes = 0

    init(job: JobID, capacity: Int = LiveRing.defaultCapacity) {
        self.job = job
        self.capacity = capacity
    }

    private var nextSeq: UInt64 { firstSeq + UInt64(events.count - start) }

    /// Takes one message of the job's log channel; nil says that messages may be missing.
    func receiveLog(_ message: [UInt8]?) {
        guard let message else { return interrupt() }
        var cursor = ByteCursor(message)
        guard let attempt = cursor.read(UInt32.self), let frames = cursor.read(count: cursor.remaining),
            let records = LogRecordCodec.decode(Array(frames))
        else { return interrupt() }
        for record in records { append(record, attempt: Int(attempt)) }
    }

    /// Takes one message of the job's state channel.
    func receiveState(_ message: [UInt8]?) {
        guard message != nil else { return interrupt() }
        needsRefresh = true
    }

    /// The events after a position, as far as the ring holds them.
    func events(after position: LogPosition) -> Answer {
        guard position.attempt == attempt, start < events.count, position.seq < nextSeq - 1 else { return .nothing }
        guard position.seq + 1 >= firstSeq else { return .gap }
        return .events(events[(start + Int(position.seq + 1 - firstSeq))...])
    }

    private func interrupt() {
        breaks += 1
        needsRefresh = true
        clear()
    }

    private func append(_ record: LogRecord, attempt newAttempt: Int) {
        if newAttempt != attempt {
            guard newAttempt > attempt else { return }
            clear()
            attempt = newAttempt
            firstSeq = record.seq
            if newAttempt != rowAttempt { needsRefresh = true }
        } else if record.seq != nextSeq {
            // A resent record is known already unless the ring is empty; a jump begins a new run.
            guard record.seq > nextSeq || start == events.count else { return }
            clear()
            firstSeq = record.seq
        }
        let position = LogPosition(attempt: attempt, seq: record.seq)
        let json = LogEvent.output(record, of: AttemptID(job: job, attempt: attempt))
        events.append(FollowedEvent(position: position, json: json))
        bytes += json.count
        while bytes > capacity, events.count - start > 1 {
            bytes -= events[start].json.count
            events[start].json = []
            start += 1
            firstSeq += 1
        }
        if start > 256, start > events.count / 2 {
            events.removeFirst(start)
            start = 0
        }
    }

    private func clear() {
        events.removeAll(keepingCapacity: true)
        start = 0
        bytes = 0
    }
}
