import Glibc
import SandboxSpec

/// Where the set-up stands: names the step in each failure and makes the injected one fail.
final class Steps {
    private(set) var current: SandboxStep
    private let fault: String?

    init(fault: String?) {
        self.fault = fault
        current = .request
    }

    /// Enters a step.
    func begin(_ step: SandboxStep) throws(SetupFailure) {
        current = step
        guard step.rawValue != fault else { throw SetupFailure(step, EIO, "injected fault") }
    }

    /// Passes a call's value on, or fails the current step when it is a negated errno.
    @discardableResult
    func check(_ result: Int32, _ detail: @autoclosure () -> String) throws(SetupFailure) -> Int32 {
        guard result >= 0 else { throw SetupFailure(current, -result, detail()) }
        return result
    }

    /// Fails the current step unless the condition holds.
    func require(_ condition: Bool, _ errno: Int32, _ detail: @autoclosure () -> String) throws(SetupFailure) {
        guard condition else { throw SetupFailure(current, errno, detail()) }
    }
}
