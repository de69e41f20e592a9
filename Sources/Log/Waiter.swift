package import Core

/// A loop's way to pause until told, which the API fills with the event loop's own.
package protocol Waiter: AnyObject {
    /// Returns at the next `signal`, or after `timeout`; many may wait.
    func wait(timeout: Duration) async
    /// Resumes all that wait now; a signal with nobody waiting is lost.
    func signal()
}

/// What the log's machines reach the outside through, one set per loop.
package struct LogPorts {
    package var store: any LogStore
    package var tail: any LiveTail
    package var bus: any MessageBus
    package var clock: any TimeSource
    /// The job's row, in the system's scope: whoever follows a log was let in before.
    package var loadJob: (JobID) async throws(StoreError) -> Job?
    package var makeWaiter: () -> any Waiter

    /// Bundles the ports.
    package init(
        store: any LogStore,
        tail: any LiveTail,
        bus: any MessageBus,
        clock: any TimeSource,
        loadJob: @escaping (JobID) async throws(StoreError) -> Job?,
        makeWaiter: @escaping () -> any Waiter
    ) {
        self.store = store
        self.tail = tail
        self.bus = bus
        self.clock = clock
        self.loadJob = loadJob
        self.makeWaiter = makeWaiter
    }
}
