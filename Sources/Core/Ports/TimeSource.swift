package import Bytes

/// The wall clock as a port, so that tests can hold it.
package protocol TimeSource: AnyObject {
    /// The time now.
    var now: Timestamp { get }
}

/// A time source that a test moves by hand.
package final class ManualTime: TimeSource {
    package var now: Timestamp

    /// Starts at `now`.
    package init(_ now: Timestamp) {
        self.now = now
    }

    /// Moves the time on.
    package func advance(by duration: Duration) {
        now = now.adding(duration)
    }
}
