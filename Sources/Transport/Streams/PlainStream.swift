import Glibc
import Platform

/// A stream socket without TLS.
@safe final class PlainStream: ByteStream, Wire {
    let source: Source
    let isSecure = false
    let readWantsWrite = false
    // A read came back short: the kernel has nothing more until the next edge.
    private var isDrained = true

    /// Takes over a connected non-blocking socket.
    init(loop: EventLoop, descriptor: consuming OwnedDescriptor) throws(TransportError) {
        do {
            source = try Source(loop: loop, descriptor: descriptor)
        } catch {
            throw .platform(error)
        }
    }

    /// Goes on with a socket that Platform has connected.
    init(_ socket: ByteSocket) {
        source = socket.source
    }

    var mustWait: Bool { isDrained }

    func open() async throws(TransportError) {}

    func read(into target: UnsafeMutableRawBufferPointer) -> WireRead {
        guard !source.isClosed else { return .failed(.closed) }
        source.clearReadLatch()
        let count = unsafe recv(source.descriptor, target.baseAddress, target.count, 0)
        let number = count < 0 ? errno : 0
        isDrained = count < target.count
        if count > 0 { return .bytes(count) }
        if count == 0 { return .end }
        if number == EINTR {
            isDrained = false
            return .blocked
        }
        return number == EAGAIN ? .blocked : .failed(.platform(PlatformError(stage: "recv", errno: number)))
    }

    func attemptWrite(_ bytes: [UInt8], from start: Int) -> WireWrite {
        guard !source.isClosed else { return .failed(.closed) }
        source.clearWriteLatch()
        var number: Int32 = 0
        let count = unsafe bytes.withUnsafeBytes { buffer in
            let part = unsafe UnsafeRawBufferPointer(rebasing: buffer[start...])
            let result = unsafe send(source.descriptor, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
            if result < 0 { number = errno }
            return result
        }
        if count >= 0 { return .wrote(count) }
        if number == EINTR { return .wrote(0) }
        return number == EAGAIN ? .blocked : .failed(.platform(PlatformError(stage: "send", errno: number)))
    }

    func awaitReadable() async { await source.readable() }

    func awaitWritable() async { await source.writable() }

    /// Ends our half of the stream.
    func shutdownWrite() {
        guard !source.isClosed else { return }
        _ = shutdown(source.descriptor, Int32(SHUT_WR))
    }

    /// Closes the socket.
    func close() { source.close() }
}
