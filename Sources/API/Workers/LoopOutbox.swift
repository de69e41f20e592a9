import Platform

/// Frames on their way to one socket, in order, written by one task; bounded, so that a stuck peer costs no memory.
final class LoopOutbox {
    private let limit: Int
    private var frames: [[UInt8]] = []
    private var isClosed = false
    private let change = LoopCondition()

    /// At most `limit` frames wait; one more closes the outbox, and with it the socket.
    init(limit: Int) {
        self.limit = limit
    }

    /// Adds a frame; ignored once closed.
    func put(_ frame: [UInt8]) {
        guard !isClosed else { return }
        if frames.count >= limit { return close() }
        frames.append(frame)
        change.signalAll()
    }

    /// The next frame; nil when closed and empty.
    func next() async -> [UInt8]? {
        while frames.isEmpty {
            if isClosed { return nil }
            await change.wait()
        }
        return frames.removeFirst()
    }

    /// Lets what waits go out, and takes nothing more.
    func close() {
        isClosed = true
        change.signalAll()
    }
}
