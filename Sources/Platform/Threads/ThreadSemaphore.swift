import Glibc

/// A counting semaphore for threads that may block.
@safe package final class ThreadSemaphore: Sendable {
    // A pointer that never changes, to an object made for use by many threads.
    nonisolated(unsafe) private let semaphore: UnsafeMutablePointer<sem_t>

    /// Creates a semaphore at zero.
    package init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe semaphore.initialize(to: sem_t())
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    /// Raises the count, and wakes a thread that waits.
    package func signal() {
        unsafe sem_post(semaphore)
    }

    /// Blocks the calling thread until the count can be lowered.
    package func wait() {
        while unsafe sem_wait(semaphore) != 0 {}
    }

    /// Blocks the calling thread for a limited time; false when it ran out.
    package func wait(timeout: Duration) -> Bool {
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let end = Instant(nanoseconds: UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec))
            .advanced(by: timeout)
        var deadline = timespec(
            tv_sec: Int(clamping: end.nanoseconds / 1_000_000_000),
            tv_nsec: Int(end.nanoseconds % 1_000_000_000)
        )
        while true {
            let (result, number) = unsafe (sem_timedwait(semaphore, &deadline), errno)
            if result == 0 { return true }
            if number != EINTR { return false }
        }
    }
}
