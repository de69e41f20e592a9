/// The events of a connection that concern its reader: a latch for those that come while nobody waits.
@safe struct ReadEvents {
    // EPOLLIN, and EPOLLRDHUP, EPOLLHUP, EPOLLERR: the values are the kernel's ABI.
    private static let readable: UInt32 = 0x0001
    private static let ended: UInt32 = 0x2018

    // At first something may already be there.
    private var isLatched = true
    private var hasEnded = false
    private var waiter: UnsafeContinuation<Void, Never>?
    // A task may hop between its last look and its suspension: a wake in between must not be lost.
    private var isWoken = false

    /// Takes the events since the last attempt to read; after the peer's end there is always something to read.
    mutating func take() -> Bool {
        defer { isLatched = false }
        return isLatched || hasEnded
    }

    /// Notes an event's flags, and tells whether they say for the first time that the peer is gone.
    mutating func note(_ flags: UInt32, anyCounts: Bool) -> Bool {
        let ends = flags & Self.ended != 0 && !hasEnded
        if ends { hasEnded = true }
        if ends || anyCounts || flags & Self.readable != 0 { isLatched = true }
        return ends
    }

    /// Keeps the continuation of the one reader.
    mutating func suspend(_ continuation: UnsafeContinuation<Void, Never>) {
        precondition(unsafe waiter == nil, "two tasks read one connection")
        guard !isWoken else {
            isWoken = false
            return unsafe continuation.resume()
        }
        unsafe waiter = continuation
    }

    /// Resumes whoever waits, to look again.
    mutating func wake() {
        guard let waiting = unsafe waiter else {
            isWoken = true
            return
        }
        unsafe waiter = nil
        unsafe waiting.resume()
    }
}
