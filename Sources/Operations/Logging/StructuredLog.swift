import Bytes
import Glibc
package import Platform

/// One JSON object per line, written by a thread of its own so that no loop waits for the reader.
///
/// What a full buffer cannot take is dropped and counted; a line tells how many were lost as soon as there is room.
package final class StructuredLog: Sendable {
    /// The buffer's size: some thousand lines, so that a burst fits and a stuck reader costs little.
    package static let standardCapacity = 1 << 20

    private struct State {
        var pending: [UInt8] = []
        var dropped = 0
        var isWriting = false
        var isClosed = false
        var secrets: [[UInt8]] = []
    }

    private let level: LogLevel
    private let descriptor: Int32
    private let capacity: Int
    private let state = Lock(State())
    private let work = ThreadSemaphore()
    private let idle = ThreadSemaphore()

    /// Starts a log that writes to a descriptor, which stays open, by default to standard error.
    package init(
        level: LogLevel,
        descriptor: Int32 = STDERR_FILENO,
        capacity: Int = StructuredLog.standardCapacity
    ) throws(PlatformError) {
        self.level = level
        self.descriptor = descriptor
        self.capacity = capacity
        try DedicatedThread.start(name: "log") { [self] in write() }
    }

    /// Lines that were dropped and not reported yet.
    package var droppedCount: Int { state.withLock { $0.dropped } }

    /// Keeps a secret of eight characters or more out of every later line, wherever it would appear.
    package func conceal(_ secret: Secret) {
        let bytes = Array(secret.reveal().utf8)
        // Shorter ones are found by chance in ordinary text.
        guard bytes.count >= 8 else { return }
        state.withLock { $0.secrets.append(bytes) }
    }

    /// Logs a line when its level is high enough; never blocks.
    package func log(_ level: LogLevel, _ message: String, _ fields: [LogField] = []) {
        guard level >= self.level else { return }
        let line = Self.render(level, message, fields)
        let mustWake = state.withLock { state in
            guard !state.isClosed else { return false }
            guard state.pending.count + line.count <= capacity else {
                state.dropped += 1
                return false
            }
            if state.dropped > 0 {
                state.pending += Self.render(.warning, "log lines dropped", [.integer("count", state.dropped)])
                state.dropped = 0
            }
            state.pending += Self.concealed(line, state.secrets)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustWake { work.signal() }
    }

    /// Logs at level debug.
    package func debug(_ message: String, _ fields: LogField...) { log(.debug, message, fields) }
    /// Logs at level info.
    package func info(_ message: String, _ fields: LogField...) { log(.info, message, fields) }
    /// Logs at level warning.
    package func warning(_ message: String, _ fields: LogField...) { log(.warning, message, fields) }
    /// Logs at level error.
    package func error(_ message: String, _ fields: LogField...) { log(.error, message, fields) }

    /// Writes what is buffered and ends the log; blocks for at most the time limit, at the end of the process.
    package func close(timeout: Duration = .seconds(2)) {
        let wasOpen = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard wasOpen else { return }
        work.signal()
        _ = idle.wait(timeout: timeout)
    }

    private func write() {
        while true {
            work.wait()
            while true {
                let (bytes, isClosed) = state.withLock { state in
                    let bytes = state.pending
                    state.pending = []
                    if bytes.isEmpty { state.isWriting = false }
                    return (bytes, state.isClosed)
                }
                if bytes.isEmpty {
                    if isClosed { return idle.signal() }
                    break
                }
                // A reader that is gone must not stop the program: what it would have read is lost.
                try? Files.writeAll(descriptor, bytes, name: "log")
            }
        }
    }

    private static func render(_ level: LogLevel, _ message: String, _ fields: [LogField]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("time", WallClock.now().rfc3339)
        writer.member("level", level.rawValue)
        writer.member("message", message)
        for field in fields { field.write(to: &writer) }
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }

    private static func concealed(_ line: [UInt8], _ secrets: [[UInt8]]) -> [UInt8] {
        var line = line
        for secret in secrets {
            while let range = line.firstRange(of: secret) { line.replaceSubrange(range, with: Array("****".utf8)) }
        }
        return line
    }
}
