import Glibc

/// A stream socket or a pipe end on a loop; loop-confined, one reader and one writer at a time.
@safe package final class ByteSocket {
    /// Bytes read during one turn after which the reader waits for the next batch of jobs.
    private static let turnBudget = 64 * 1024

    /// The watched descriptor.
    package let source: Source
    /// The other end's address, nil for a pipe.
    package let peer: SocketAddress?
    private let isSocket: Bool
    private var isWriting = false
    private var readTurn: UInt64 = 0
    private var readInTurn = 0

    /// Takes over an open stream socket or pipe end and makes it non-blocking.
    package init(loop: EventLoop, adopting descriptor: consuming OwnedDescriptor) throws(PlatformError) {
        let raw = descriptor.raw
        try SocketCalls.setNonBlocking(raw)
        isSocket = SocketCalls.isSocket(raw)
        peer = isSocket ? SocketCalls.peer(raw) : nil
        SocketCalls.setNoDelay(raw, peer)
        source = try Source(loop: loop, descriptor: descriptor)
    }

    private init(connecting source: Source, to peer: SocketAddress) {
        self.source = source
        self.peer = peer
        isSocket = true
    }

    /// Connects a stream socket; the time limit covers everything.
    package static func connect(
        to address: SocketAddress,
        on loop: EventLoop,
        timeout: Duration
    ) async throws(PlatformError) -> ByteSocket {
        let deadline = loop.now.advanced(by: timeout)
        while true {
            let descriptor = try SocketCalls.open(address)
            let raw = descriptor.raw
            SocketCalls.setNoDelay(raw, address)
            let number = try unsafe address.withKernelForm { unsafe Glibc.connect(raw, $0, $1) == 0 ? 0 : errno }
            switch number {
            case 0:
                return ByteSocket(connecting: try Source(loop: loop, descriptor: descriptor), to: address)
            case EINPROGRESS, EINTR:
                let source = try Source(loop: loop, descriptor: descriptor)
                try await finishConnecting(source, to: address, before: deadline)
                return ByteSocket(connecting: source, to: address)
            case EAGAIN where loop.now < deadline:
                // A Unix listener with a full backlog: nothing to wait for but time.
                await loop.sleep(.milliseconds(5))
            default:
                throw PlatformError(stage: "connect(\(address))", errno: number == EAGAIN ? ETIMEDOUT : number)
            }
        }
    }

    private static func finishConnecting(
        _ source: Source,
        to address: SocketAddress,
        before deadline: Instant
    ) async throws(PlatformError) {
        var timedOut = false
        let timer = source.loop.schedule(after: deadline - source.loop.now) {
            timedOut = true
            source.close()
        }
        await source.writable()
        timer.cancel()
        if source.isClosed {
            throw PlatformError(stage: "connect(\(address))", errno: timedOut ? ETIMEDOUT : ECANCELED)
        }
        let number = SocketCalls.takeError(source.descriptor)
        guard number == 0 else {
            source.close()
            throw PlatformError(stage: "connect(\(address))", errno: number)
        }
    }

    /// Reads what is there, at least one byte and at most `max`; empty at the end of the stream.
    package func read(max: Int) async throws(PlatformError) -> [UInt8] {
        precondition(max > 0, "a read of nothing looks like the end")
        await yieldWhenGreedy()
        while true {
            await source.readable()
            if source.isClosed { throw PlatformError(stage: "read", errno: ECANCELED) }
            source.clearReadLatch()
            var number: Int32 = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
                let result = unsafe Glibc.read(source.descriptor, buffer.baseAddress, max)
                if result < 0 { number = errno }
                count = Swift.max(0, result)
            }
            switch number {
            case 0:
                // A full buffer may have left bytes behind, for which no new edge comes.
                if bytes.count == max { source.keepReadLatch() }
                readInTurn += bytes.count
                return bytes
            case EAGAIN: continue
            case EINTR: source.keepReadLatch()
            default: throw PlatformError(stage: "read", errno: number)
            }
        }
    }

    /// Writes all the bytes; suspends while the other end is slow.
    package func write(_ bytes: [UInt8]) async throws(PlatformError) {
        precondition(!isWriting, "two tasks write one stream")
        isWriting = true
        defer { isWriting = false }
        var sent = 0
        while sent < bytes.count {
            if source.isClosed { throw PlatformError(stage: "write", errno: ECANCELED) }
            source.clearWriteLatch()
            let result = writeOnce(bytes, from: sent)
            if result >= 0 {
                sent += result
                continue
            }
            let number = Int32(-result)
            switch number {
            case EAGAIN: await source.writable()
            case EINTR: continue
            default: throw PlatformError(stage: "write", errno: number)
            }
        }
    }

    /// Tells the other end that nothing more comes; a pipe is closed.
    package func shutdownWrite() {
        guard !source.isClosed else { return }
        if isSocket {
            _ = shutdown(source.descriptor, Int32(SHUT_WR))
        } else {
            source.close()
        }
    }

    /// Closes the descriptor and resumes whoever waits; may be called twice.
    package func close() {
        source.close()
    }

    /// The bytes written, or the negative error number.
    private func writeOnce(_ bytes: [UInt8], from start: Int) -> Int {
        unsafe bytes.withUnsafeBytes { buffer in
            let part = unsafe UnsafeRawBufferPointer(rebasing: buffer[start...])
            let result =
                isSocket
                ? unsafe send(source.descriptor, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
                : unsafe Glibc.write(source.descriptor, part.baseAddress, part.count)
            return result >= 0 ? result : Int(-errno)
        }
    }

    private func yieldWhenGreedy() async {
        let turn = source.loop.turn
        if turn != readTurn {
            readTurn = turn
            readInTurn = 0
        } else if readInTurn >= Self.turnBudget {
            await Task.yield()
            readInTurn = 0
        }
    }
}
