import Glibc
import Platform

/// What one attempt to read gave.
enum WireRead {
    case bytes(Int)
    case blocked
    /// The peer ended the stream in good order.
    case end
    case failed(TransportError)
}

/// What one attempt to write gave.
enum WireWrite {
    case wrote(Int)
    case blocked
    case failed(TransportError)
}

/// A stream whose attempts do not suspend, so that a connection decides itself when to wait.
protocol Wire: ByteStream {
    var source: Source { get }
    var isSecure: Bool { get }

    /// False when a read may give something at once; true when the next one should be awaited.
    var mustWait: Bool { get }

    /// A read waits for the socket to take bytes; rare, and only inside TLS.
    var readWantsWrite: Bool { get }

    func read(into target: UnsafeMutableRawBufferPointer) -> WireRead
    func attemptWrite(_ bytes: [UInt8], from start: Int) -> WireWrite
    func awaitReadable() async
    func awaitWritable() async

    /// Performs the handshake, if there is one.
    func open() async throws(TransportError)
}

extension Wire {
    var loop: EventLoop { source.loop }
    var isClosed: Bool { source.isClosed }

    /// A peer that takes nothing for this long is given up: a stalled phone must not hold a response for ever.
    static var stallTimeout: Duration { .seconds(60) }

    func write(_ bytes: [UInt8]) async throws(TransportError) {
        var sent = 0
        while sent < bytes.count {
            switch attemptWrite(bytes, from: sent) {
            case .wrote(let count): sent += count
            case .failed(let error): throw error
            case .blocked:
                var stalled = false
                let timer = loop.schedule(after: Self.stallTimeout) { [weak self] in
                    stalled = true
                    self?.close()
                }
                await awaitWritable()
                timer.cancel()
                if stalled { throw .stalled }
                if isClosed { throw .closed }
            }
        }
    }

    func read(max: Int) async throws(TransportError) -> [UInt8] {
        precondition(max > 0, "a read of nothing looks like the end")
        while true {
            if mustWait { await awaitReadable() }
            var outcome = WireRead.blocked
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max) { target, count in
                outcome = unsafe read(into: UnsafeMutableRawBufferPointer(target))
                if case .bytes(let read) = outcome { count = read }
            }
            switch outcome {
            case .bytes: return bytes
            case .blocked: continue
            case .end: return []
            case .failed(let error): throw error
            }
        }
    }

    /// Ends a reader's wait: what has arrived can still be read, then comes the end, while writing goes on.
    func interruptReading() {
        guard !isClosed else { return }
        _ = shutdown(source.descriptor, Int32(SHUT_RD))
    }
}
