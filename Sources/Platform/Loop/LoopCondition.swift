/// Lets tasks of one loop wait until something of that loop changes; loop-confined.
///
/// A waiter checks its own state again after each wait. Cancellation does not end a wait: whoever cancels signals.
package final class LoopCondition {
    private var waiters: [Waiter] = []

    /// Creates a condition without waiters.
    package init() {}

    /// Suspends until the next `signalAll`.
    package func wait() async {
        unsafe await withUnsafeContinuation { continuation in
            let waiter = Waiter()
            unsafe waiter.continuation = continuation
            waiters.append(waiter)
        }
    }

    /// Suspends until the next `signalAll` (true) or until the time is over (false).
    package func wait(timeout: Duration, on loop: EventLoop) async -> Bool {
        let waiter = Waiter()
        unsafe await withUnsafeContinuation { continuation in
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
