import Glibc

/// Runs a system call until it is not interrupted; a negative result becomes an error with its stage.
@discardableResult
func systemCall<Value: FixedWidthInteger & SignedInteger>(
    _ stage: @autoclosure () -> String,
    _ body: () -> Value
) throws(PlatformError) -> Value {
    while true {
        let result = body()
        if result >= 0 { return result }
        let number = errno
        if number == EINTR { continue }
        // Both mean that somebody uses a descriptor or memory that is not theirs: a reused descriptor leaks data.
        precondition(number != EBADF && number != EFAULT, "system call on a foreign descriptor or pointer")
        throw PlatformError(stage: stage(), errno: number)
    }
}
