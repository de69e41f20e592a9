import CLinux
import Glibc

/// A descriptor that a loop watches, both directions, edge-triggered; loop-confined.
///
/// Clear a latch, then read or write until `EAGAIN`, then await `readable` or `writable`. At most one task waits per
/// direction. Cancellation does not end a wait: `close` does.
@safe package final class Source {
    /// The loop that watches the descriptor.
    package let loop: EventLoop
    /// The watched number; meaningless after `close`.
    package let descriptor: Int32
    /// Whether `close` was called.
    package private(set) var isClosed = false
    /// Called with each event's flags, for C libraries that keep their own state.
    package var onEvents: ((UInt32) -> Void)?

    private let ownsDescriptor: Bool
    private var token: UInt64 = 0
    private var readLatch = false
    private var writeLatch = false
    /// The peer ended or broke the stream: no further edge will come for reading.
    private var readEnded = false
    private var writeEnded = false
    private var reader: UnsafeContinuation<Void, Never>?
    private var writer: UnsafeContinuation<Void, Never>?

    /// Watches a descriptor and owns it; on the loop only.
    package init(loop: EventLoop, descriptor: consuming OwnedDescriptor) throws(PlatformError) {
        precondition(loop.isOnLoop, "source off its loop")
        self.loop = loop
        ownsDescriptor = true
        self.descriptor = descriptor.raw
        token = try loop.poller.register(self, descriptor: descriptor.raw)
        _ = descriptor.release()
    }

    /// Watches a descriptor that a C library owns; close the source before the library closes the descriptor.
    package init(loop: EventLoop, borrowing raw: Int32) throws(PlatformError) {
        precondition(loop.isOnLoop, "source off its loop")
        self.loop = loop
        ownsDescriptor = false
        descriptor = raw
        token = try loop.poller.register(self, descriptor: raw)
    }

    deinit {
        guard !isClosed, token != 0 else { return }
        let (loop, token, raw) = (self.loop, self.token, ownsDescriptor ? descriptor : -1)
        loop.execute {
            loop.poller.unregister(token)
            if raw >= 0 { _ = Glibc.close(raw) }
        }
    }

    /// Suspends until an edge for reading came since the latch was cleared, or the source is closed.
    package func readable() async {
        if readLatch || readEnded || isClosed { return }
        unsafe await withUnsafeContinuation { continuation in
            // Looked at again: the task may have hopped since, and the edge come meanwhile.
            if readLatch || readEnded || isClosed { return unsafe continuation.resume() }
            precondition(unsafe reader == nil, "two tasks wait to read one descriptor")
            unsafe reader = continuation
        }
    }

    /// Suspends until an edge for writing came since the latch was cleared, or the source is closed.
    package func writable() async {
        if writeLatch || writeEnded || isClosed { return }
        unsafe await withUnsafeContinuation { continuation in
            if writeLatch || writeEnded || isClosed { return unsafe continuation.resume() }
            precondition(unsafe writer == nil, "two tasks wait to write one descriptor")
            unsafe writer = continuation
        }
    }

    /// Forgets earlier edges for reading; call it before the read that they announce.
    package func clearReadLatch() {
        readLatch = false
    }

    /// Forgets earlier edges for writing; call it before the write that they announce.
    package func clearWriteLatch() {
        writeLatch = false
    }

    /// Ends the watch, resumes both waiters and closes an owned descriptor; may be called twice.
    package func close() {
        guard !isClosed else { return }
        precondition(loop.isOnLoop, "source closed off its loop")
        isClosed = true
        onEvents = nil
        loop.poller.unregister(token)
        resumeReader()
        resumeWriter()
        if ownsDescriptor { _ = Glibc.close(descriptor) }
    }

    func handle(_ flags: UInt32) {
        let ended = flags & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
        if ended { writeEnded = true }
        if ended || flags & EPOLLRDHUP.rawValue != 0 { readEnded = true }
        if readEnded || flags & EPOLLIN.rawValue != 0 {
            readLatch = true
            resumeReader()
        }
        if ended || flags & EPOLLOUT.rawValue != 0 {
            writeLatch = true
            resumeWriter()
        }
        onEvents?(flags)
    }

    /// Marks that a read stopped before the descriptor was drained, so that no edge is awaited.
    func keepReadLatch() {
        readLatch = true
    }

    private func resumeReader() {
        let waiting = unsafe reader
        unsafe reader = nil
        unsafe waiting?.resume()
    }

    private func resumeWriter() {
        let waiting = unsafe writer
        unsafe writer = nil
        unsafe waiting?.resume()
    }
}
