import Glibc

/// A failed system call, with the stage that made it.
package struct PlatformError: Error, Hashable, CustomStringConvertible {
    /// What was being done, for example `connect(127.0.0.1:80)`.
    package let stage: String
    /// The error number as the kernel gave it.
    package let errno: Int32

    /// Creates an error from its stage and number.
    package init(stage: String, errno: Int32) {
        self.stage = stage
        self.errno = errno
    }

    /// The stage and the C library's text for the number.
    package var description: String {
        let message = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "unknown error"
        return "\(stage): \(message) (\(errno))"
    }
}
