import Core
import Link
import Platform

/// One workspace on its way between a client's request and a worker's link, which may be on different loops.
///
/// What waits here is bounded, whatever a worker sends: the receiving side grants credit as it takes bytes.
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

    @safe fileprivate struct State {
        /// Chunks, then one end, then the outcome.
        var events: [Event] = []
        /// Bytes of the chunks among them.
        var waiting = 0
        /// Grants that were not taken yet, as one.
        var credit = 0
        var hasEnded = false
        var hasOutcome = false
        var waiter: UnsafeContinuation<Void, Never>?
    }

    /// Bytes that may wait, or be granted: a window, and the one frame that may overdraw it.
    static let byteLimit = LinkProtocol.transferWindow + LinkProtocol.bulkFrameBytes
    /// Pieces that may wait: the window in pieces far smaller than any that `tar` writes.
    static let pieceLimit = 4_096

    let number: UInt64
    let worker: WorkerID
    private let state = Lock(State())

    init(number: UInt64, worker: WorkerID) {
        self.number = number
        self.worker = worker
    }

    /// Adds what the worker sent, from any thread; false when it was more than it may send, which ends the transfer.
    func deliver(_ event: Event) -> Bool {
        let (isAllowed, waiter) = unsafe state.withLock { state -> (Bool, UnsafeContinuation<Void, Never>?) in
            let isAllowed = state.take(event)
            if !isAllowed { state.cut("the worker sent more than was asked for") }
            let waiter = unsafe state.waiter
            unsafe state.waiter = nil
            return unsafe (isAllowed, waiter)
        }
        unsafe waiter?.resume()
        return isAllowed
    }

    /// Ends the transfer; the first outcome stands.
    func settle(_ outcome: WorkspaceOutcome) {
        _ = deliver(.outcome(outcome))
    }

    /// The next event for the client's side; one task waits at a time.
    func next() async -> Event {
        while true {
            if let event = state.withLock({ $0.next() }) { return event }
            unsafe await withUnsafeContinuation { continuation in
                let mustResume = state.withLock { state in
                    guard state.isEmpty else { return true }
                    unsafe state.waiter = continuation
                    return false
                }
                if mustResume { unsafe continuation.resume() }
            }
        }
    }
}

extension WorkspaceTransfer.State {
    fileprivate var isEmpty: Bool { events.isEmpty && credit == 0 }

    /// Takes an event in bounded memory; false when there is no room for it.
    fileprivate mutating func take(_ event: WorkspaceTransfer.Event) -> Bool {
        switch event {
        case .chunk(let bytes):
            if hasEnded { return true }
            guard waiting + bytes.count <= WorkspaceTransfer.byteLimit, events.count < WorkspaceTransfer.pieceLimit
            else { return false }
            waiting += bytes.count
            events.append(event)
        case .credit(let bytes):
            guard credit + bytes <= WorkspaceTransfer.byteLimit else { return false }
            credit += bytes
        case .end:
            if !hasEnded { events.append(event) }
            hasEnded = true
        case .outcome:
            if !hasOutcome { events.append(event) }
            hasOutcome = true
        }
        return true
    }

    /// Drops what waits and ends the archive with an error, since it has a hole now; an outcome stays.
    fileprivate mutating func cut(_ reason: String) {
        let outcome = events.filter { if case .outcome = $0 { true } else { false } }
        events = [.end(error: reason)] + outcome
        (waiting, credit, hasEnded) = (0, 0, true)
    }

    /// Takes the next event out: what ends the transfer is not kept waiting by credit.
    fileprivate mutating func next() -> WorkspaceTransfer.Event? {
        guard !events.isEmpty else {
            defer { credit = 0 }
            return credit > 0 ? .credit(credit) : nil
        }
        let event = events.removeFirst()
        if case .chunk(let bytes) = event { waiting -= bytes.count }
        return event
    }
}
