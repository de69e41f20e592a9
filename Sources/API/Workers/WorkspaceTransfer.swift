import Core
import Link
import Platform

/// One workspace on its way between a client's request and a worker's link, which may be on different loops.
///
/// Bytes wait here only up to the link's transfer window; the receiving side grants credit as it takes them.
final class WorkspaceTransfer: Sendable {
    /// What a waiting side is told.
    enum Event: Sendable {
        case chunk([UInt8])
        /// The sender of the bytes may send this many more.
        case credit(Int)
        /// The worker has sent the last byte, or gave up with an error.
        case end(error: String?)
        case outcome(WorkspaceOutcome)
    }

    @safe private struct State {
        var events: [Event] = []
        var waiter: UnsafeContinuation<Void, Never>?
        var outcome: WorkspaceOutcome?
    }

    /// Pieces of 128 KiB in a window of 1 MiB, and the few other events.
    private static let eventLimit = 256

    let number: UInt64
    let worker: WorkerID
    private let state = Lock(State())

    init(number: UInt64, worker: WorkerID) {
        self.number = number
        self.worker = worker
    }

    /// Adds an event for the client's side, from any thread.
    func deliver(_ event: Event) {
        let waiter = unsafe state.withLock { state -> UnsafeContinuation<Void, Never>? in
            if case .outcome(let outcome) = event, state.outcome == nil { state.outcome = outcome }
            // An honest worker's window is far smaller; a hole in the archive must end it.
            if case .chunk = event, state.events.count >= WorkspaceTransfer.eventLimit {
                state.events = [.end(error: "the worker sent more than was asked for")]
            } else {
                state.events.append(event)
            }
            let waiter = unsafe state.waiter
            unsafe state.waiter = nil
            return unsafe waiter
        }
        unsafe waiter?.resume()
    }

    /// Ends the transfer; the first outcome stands.
    func settle(_ outcome: WorkspaceOutcome) {
        deliver(.outcome(outcome))
    }

    /// The next event for the client's side; one task waits at a time.
    func next() async -> Event {
        while true {
            if let event = state.withLock({ $0.events.isEmpty ? nil : $0.events.removeFirst() }) { return event }
            unsafe await withUnsafeContinuation { continuation in
                let mustResume = state.withLock { state in
                    guard state.events.isEmpty else { return true }
                    unsafe state.waiter = continuation
                    return false
                }
                if mustResume { unsafe continuation.resume() }
            }
        }
    }
}
