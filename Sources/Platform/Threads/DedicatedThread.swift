import CLinux
import Glibc

/// A detached thread of its own for one closure that blocks for long, such as a writer to a slow pipe.
package enum DedicatedThread {
    /// Starts the thread.
    package static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(PlatformError) {
        let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body))
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { unsafe pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        let result = unsafe pthread_create(&thread, &attributes, threadMain, start.toOpaque())
        if result != 0 {
            unsafe start.release()
            throw PlatformError(stage: "pthread_create(\(name))", errno: result)
        }
    }
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    unsafe clinux_name_thread(start.name)
    start.body()
    return nil
}
