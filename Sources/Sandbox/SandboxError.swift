import Glibc
import Platform
import SandboxSpec

/// A refusal by the sandbox: the step that failed, its errno and what it was about.
package struct SandboxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the step, such as `workspace tree`, `exec` or `server`.
    package let step: String
    /// The errno, or 0 when no system call failed.
    package let errno: Int32
    /// What it was about; names no host path.
    package let message: String

    /// Names a failed step.
    package init(step: String, errno: Int32, message: String) {
        self.step = step
        self.errno = errno
        self.message = message
    }

    init(_ failure: SetupFailure) {
        self.init(step: failure.step, errno: failure.errno, message: failure.detail)
    }

    init(_ step: String, _ error: PlatformError) {
        self.init(step: step, errno: error.errno, message: error.stage)
    }

    /// The launcher, or the sandbox, is no longer there.
    static func gone(_ step: String) -> SandboxError {
        SandboxError(step: step, errno: EPIPE, message: "ended unexpectedly")
    }

    /// The launcher has not answered in time; what it was asked for names the step that is likely to hang.
    static func stalled(_ step: SandboxStep) -> SandboxError {
        SandboxError(step: step.rawValue, errno: ETIMEDOUT, message: "the sandbox server does not answer")
    }

    static func decode<Value>(
        _ step: String,
        _ body: () throws(WireError) -> Value
    ) throws(SandboxError) -> Value {
        do {
            return try body()
        } catch {
            throw SandboxError(step: step, errno: EPROTO, message: error.reason)
        }
    }

    /// One line for logs.
    package var description: String {
        "sandbox: \(step): \(message) (errno \(errno))"
    }
}
