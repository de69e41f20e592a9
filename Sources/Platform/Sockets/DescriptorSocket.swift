import CLinux
import Glibc

/// A Unix socket that keeps message borders and carries descriptors; loop-confined.
@safe package final class DescriptorSocket {
    /// The most descriptors that one message carries.
    package static let descriptorLimit = Int(CLINUX_MAX_DESCRIPTORS)

    private let source: Source

    /// Takes over one end of a connected `SOCK_SEQPACKET` socket.
    package init(loop: EventLoop, adopting descriptor: consuming OwnedDescriptor) throws(PlatformError) {
        try SocketCalls.setNonBlocking(descriptor.raw)
        source = try Source(loop: loop, descriptor: descriptor)
    }

    /// Makes a connected pair, both ends close-on-exec and owned by the caller.
    package static func pair() throws(PlatformError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        try systemCall("socketpair") { unsafe socketpair(AF_UNIX, kind, 0, &ends) }
        return (ends[0], ends[1])
    }

    /// Sends one message, never empty; the descriptors stay open here.
    package func send(_ bytes: [UInt8], descriptors: [Int32]) async throws(PlatformError) {
        precondition(!bytes.isEmpty, "an empty message looks like the end")
        while true {
            if source.isClosed { throw PlatformError(stage: "sendmsg", errno: ECANCELED) }
            source.clearWriteLatch()
            let result = unsafe clinux_send_descriptors(
                source.descriptor,
                bytes,
                bytes.count,
                descriptors,
                Int32(descriptors.count)
            )
            let number = result < 0 ? errno : 0
            switch number {
            case 0: return
            case EAGAIN: await source.writable()
            case EINTR: continue
            default: throw PlatformError(stage: "sendmsg", errno: number)
            }
        }
    }

    /// Receives one message, whose descriptors the caller owns; nil at the end, `EMSGSIZE` when it did not fit.
    package func receive(
        max: Int,
        maxDescriptors: Int
    ) async throws(PlatformError) -> (bytes: [UInt8], descriptors: [Int32])? {
        while true {
            await source.readable()
            if source.isClosed { throw PlatformError(stage: "recvmsg", errno: ECANCELED) }
            source.clearReadLatch()
            var descriptors = [Int32](repeating: -1, count: maxDescriptors)
            var taken = Int32(maxDescriptors)
            var flags: Int32 = 0
            var number: Int32 = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
                let result = unsafe clinux_receive_descriptors(
                    source.descriptor,
                    buffer.baseAddress,
                    max,
                    &descriptors,
                    &taken,
                    &flags
                )
                if result < 0 { number = errno }
                count = Swift.max(0, result)
            }
            switch number {
            case 0: break
            case EAGAIN: continue
            case EINTR:
                source.keepReadLatch()
                continue
            default: throw PlatformError(stage: "recvmsg", errno: number)
            }
            source.keepReadLatch()
            descriptors.removeLast(maxDescriptors - Int(taken))
            if flags & Int32(MSG_TRUNC | MSG_CTRUNC) != 0 {
                for descriptor in descriptors { _ = Glibc.close(descriptor) }
                throw PlatformError(stage: "recvmsg", errno: EMSGSIZE)
            }
            return bytes.isEmpty && descriptors.isEmpty ? nil : (bytes, descriptors)
        }
    }

    /// Closes the socket and resumes whoever waits; may be called twice.
    package func close() {
        source.close()
    }
}
