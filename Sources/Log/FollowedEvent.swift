package import Core

/// One event on its way to a viewer.
package struct FollowedEvent: Sendable, Equatable {
    /// Where a reader that has this event resumes; nil for events that are derived from the job's row.
    package var position: LogPosition?
    package var json: [UInt8]

    /// Pairs an event's bytes with its position.
    package init(position: LogPosition?, json: [UInt8]) {
        self.position = position
        self.json = json
    }
}

/// Events gathered for one answer, bounded so that a viewer never holds more than one batch.
struct EventBatch {
    /// Big enough to fill a socket's buffer, small enough for ten thousand viewers at once.
    static let maximumBytes = 256 << 10

    private(set) var events: [FollowedEvent] = []
    private(set) var bytes = 0

    var isFull: Bool { bytes >= Self.maximumBytes }

    mutating func append(_ json: [UInt8], at position: LogPosition? = nil) {
        events.append(FollowedEvent(position: position, json: json))
        bytes += json.count
    }
}
