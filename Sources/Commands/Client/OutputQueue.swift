import Glibc
import Platform

/// Both outputs in one order, written off the loop, so that a pager that takes nothing stops neither pings nor Ctrl-C.
final class OutputQueue {
    /// More than this is not taken before some of it is written.
    private static let room = 1 << 20

    /// Set when nobody reads the output any more.
    private(set) var isBroken = false

    private let loop: EventLoop
    private let style: OutputStyle
    private let sink: Sink
    private var pending: [Piece] = []
    private var pendingBytes = 0
    private var isWriting = false
    private var hasStatus = false
    private let changed = LoopCondition()

    /// Bytes for one descriptor.
    typealias Piece = (descriptor: Int32, bytes: [UInt8])
    /// Writes pieces, blocking; false when nobody takes them.
    typealias Sink = @Sendable ([Piece]) -> Bool

    init(loop: EventLoop, style: OutputStyle, sink: @escaping Sink = DescriptorOutput.write) {
        self.loop = loop
        self.style = style
        self.sink = sink
    }

    /// Takes pieces in their order and waits while too much is unwritten.
    func put(_ pieces: [Rendered]) async {
        for piece in pieces { enqueue(piece) }
        write()
        while pendingBytes > Self.room, !isBroken { await changed.wait() }
    }

    /// Takes a line for the person.
    func note(_ text: String) {
        enqueue(style.dimLine("errand: \(text)"))
        write()
    }

    /// Redraws the line of what is going on; nil takes it away.
    func status(_ text: String?) {
        enqueue(.status(text))
        write()
    }

    /// Waits until everything is written.
    func flush() async {
        if hasStatus { status(nil) }
        while isWriting { await changed.wait() }
    }

    private func enqueue(_ piece: Rendered) {
        guard !isBroken else { return }
        switch piece {
        case .result(let bytes):
            clearStatus()
            append(bytes, to: STDOUT_FILENO)
        case .note(let bytes):
            clearStatus()
            append(bytes, to: STDERR_FILENO)
        case .status(let text):
            clearStatus()
            guard style.isNoteTerminal, let text else { return }
            append(Array(style.dim(text).utf8), to: STDERR_FILENO)
            hasStatus = true
        }
    }

    private func clearStatus() {
        guard hasStatus else { return }
        hasStatus = false
        append(Array("\r\u{1b}[K".utf8), to: STDERR_FILENO)
    }

    private func append(_ bytes: [UInt8], to descriptor: Int32) {
        guard !bytes.isEmpty else { return }
        pendingBytes += bytes.count
        if let last = pending.indices.last, pending[last].descriptor == descriptor {
            pending[last].bytes += bytes
        } else {
            pending.append((descriptor, bytes))
        }
    }

    private func write() {
        guard !isWriting, !pending.isEmpty else { return }
        isWriting = true
        loop.spawnLocal { [self] in
            while !pending.isEmpty {
                let batch = pending
                pending = []
                let isGone = (try? await BlockingPool.run { [sink] in sink(batch) }) != true
                pendingBytes -= batch.reduce(0) { $0 + $1.bytes.count }
                if isGone {
                    isBroken = true
                    pending = []
                    pendingBytes = 0
                }
                changed.signalAll()
            }
            isWriting = false
            changed.signalAll()
        }
    }
}

/// Blocking writes to descriptors that may belong to somebody else's terminal.
enum DescriptorOutput {
    /// Writes all pieces; false when nobody takes them.
    @Sendable static func write(_ pieces: [OutputQueue.Piece]) -> Bool {
        pieces.allSatisfy { write($0.bytes, to: $0.descriptor) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                // Another program made the terminal that we share non-blocking.
                var event = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&event, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
