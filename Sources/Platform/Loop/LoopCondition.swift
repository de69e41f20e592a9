/// Lets tasks of one loop wait until something of that loop changes; loop-confined.
///
/// A waiter checks its own state again after each wait. Cancellation does not end a wait: whoever cancels signals.
package final class LoopCondition {
    private var waiters: [Waiter] = []
    // A task may hop between the call of `wait` and its suspension: a signal then counts too.
    private var signals: UInt64 = 0

    /// Creates a condition without waiters.
    package init() {}

    /// Suspends until the next `signalAll`.
    package func wait() async {
        let seen = signals
        unsafe await withUnsafeContinuation { continuation in
            guard signals == seen else { return unsafe continuation.resume() }
            let waiter = Waiter()
            unsafe waiter.continuation = continuation
            waiters.append(waiter)
        }
    }

    /// Suspends until the next `signalAll` (true) or until the time is over (false).
    package func wait(timeout: Duration, on loop: EventLoop) async -> Bool {
        let waiter = Waiter()
        let seen = signals
        unsafe await withUnsafeContinuation { continuation in
            guard signals == seen else {
                waiter.isSignalled = true
                return unsafe continuation.resume()
            }
            unsafe waiter.continuation = continuation
            waiters.append(waiter)
            waiter.timer = loop.schedule(after: timeout) { [self] in
                waiters.removeAll { $0 === waiter }
                waiter.resume()
            }
        }
        return waiter.isSignalled
    }

    /// Resumes every task that waits now.
    package func signalAll() {
        signals &+= 1
        let signalled = waiters
        waiters.removeAll()
        for waiter in signalled {
            waiter.isSignalled = true
            waiter.timer?.cancel()
            waiter.resume()
        }
    }
}

@safe private final class Waiter {
    var continuation: UnsafeContinuation<Void, Never>?
    var timer: LoopTimer?
    var isSignalled = false

    func resume() {
        let continuation = unsafe self.continuation
        unsafe self.continuation = nil
        unsafe continuation?.resume()
    }
}
