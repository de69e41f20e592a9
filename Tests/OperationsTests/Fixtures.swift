import Glibc
import Operations
import Platform

/// Starts a loop for one test, runs the body on it and stops it again.
func onLoop<Value: Sendable>(_ body: @escaping @Sendable (EventLoop) async throws -> Value) async throws -> Value {
    let loop = try EventLoop.start(name: "test-loop")
    defer { loop.stop() }
    return try await loop.run { try await body(loop) }
}

/// A directory that is gone after the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init(_ name: String = "t") throws {
        path = "/tmp/errand-\(name)-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 36))"
        try Files.createDirectory(path, mode: 0o755)
    }

    deinit {
        try? Files.removeTree(path)
    }
}

/// A log whose lines a test reads after closing it.
final class CapturedLog {
    let log: StructuredLog
    private let path: String
    private let descriptor: Int32

    init(level: LogLevel = .debug, capacity: Int = StructuredLog.standardCapacity) throws {
        path = "/tmp/errand-log-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, mode_t(0o600))
        log = try StructuredLog(level: level, descriptor: descriptor, capacity: capacity)
    }

    deinit {
        log.close()
        close(descriptor)
        try? Files.remove(path)
    }

    func lines() throws -> [String] {
        log.close()
        let text = String(decoding: try Files.readAll(path, limit: 1 << 26), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }
}
