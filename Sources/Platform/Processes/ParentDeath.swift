import CLinux
import Glibc

/// The signal by which the kernel tells this process that the one that started it has ended.
///
/// The kernel keeps it per thread and forgets it when the process changes its user.
package struct ParentDeath: Hashable, Sendable {
    /// The signal.
    package let signal: Int32
    /// The process whose end it tells.
    package let parent: Int32

    /// What was asked for when this process was started, nil for nothing; to be read on the main thread.
    package static func inherited() -> ParentDeath? {
        let number = clinux_parent_death_signal()
        return number > 0 ? ParentDeath(signal: number, parent: getppid()) : nil
    }

    /// Asks for the signal again, on a thread that lives as long as the process.
    package func request() throws(PlatformError) {
        guard clinux_request_parent_death_signal(signal) == 0 else {
            throw PlatformError(stage: "prctl(PR_SET_PDEATHSIG)", errno: errno)
        }
        // The parent may have ended while nobody was to be told.
        if getppid() != parent { kill(getpid(), signal) }
    }
}
