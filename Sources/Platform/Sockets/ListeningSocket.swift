import CLinux
import Glibc

/// A listening stream socket on a loop; loop-confined, one task accepts at a time.
@safe package final class ListeningSocket {
    /// Connections accepted in one turn after which accepting waits for the next batch of jobs.
    private static let turnBudget = 16

    /// The address it is bound to, with the port that the kernel chose.
    package let address: SocketAddress
    private let source: Source
    private var acceptTurn: UInt64 = 0
    private var acceptedInTurn = 0

    /// Takes over a listening socket, for example one that came over a `DescriptorSocket`.
    package init(loop: EventLoop, adopting descriptor: consuming OwnedDescriptor) throws(PlatformError) {
        try SocketCalls.setNonBlocking(descriptor.raw)
        address = try SocketCalls.name(descriptor.raw)
        source = try Source(loop: loop, descriptor: descriptor)
    }

    /// Binds and listens; with `reusePort` every loop has a listener of its own on the same port.
    package static func bind(
        _ address: SocketAddress,
        on loop: EventLoop,
        reusePort: Bool,
        backlog: Int32
    ) throws(PlatformError) -> ListeningSocket {
        let descriptor = try SocketCalls.open(address)
        let raw = descriptor.raw
        if address.family != AF_UNIX {
            try SocketCalls.set(raw, SOL_SOCKET, SO_REUSEADDR, 1)
            if reusePort { try SocketCalls.set(raw, SOL_SOCKET, SO_REUSEPORT, 1) }
        }
        let bound = try unsafe address.withKernelForm { unsafe Glibc.bind(raw, $0, $1) == 0 ? 0 : errno }
        guard bound == 0 else { throw PlatformError(stage: "bind(\(address))", errno: bound) }
        try systemCall("listen(\(address))") { listen(raw, backlog) }
        return try ListeningSocket(loop: loop, adopting: descriptor)
    }

    /// Waits for a connection and returns its non-blocking descriptor, which the caller owns; `ECANCELED` once closed.
    package func accept() async throws(PlatformError) -> (descriptor: Int32, peer: SocketAddress?) {
        await yieldWhenGreedy()
        while true {
            if source.isClosed || Task.isCancelled { throw PlatformError(stage: "accept", errno: ECANCELED) }
            source.clearReadLatch()
            var number: Int32 = 0
            let (raw, peer) = unsafe SocketAddress.fill { address, length in
                let result = unsafe clinux_accept(source.descriptor, address, length)
                if result < 0 { number = errno }
                return result
            }
            switch number {
            case 0:
                source.keepReadLatch()
                acceptedInTurn += 1
                SocketCalls.setNoDelay(raw, peer)
                return (raw, peer)
            case EAGAIN: await source.readable()
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                // The edge is gone but the connection still waits: look again when descriptors may be free.
                await source.loop.sleep(.milliseconds(100))
            case EINTR, ECONNABORTED, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
                EOPNOTSUPP, ENETUNREACH, ETIMEDOUT:
                continue  // that connection failed, not the listener
            default: throw PlatformError(stage: "accept(\(address))", errno: number)
            }
        }
    }

    /// Stops listening and ends a waiting `accept`; may be called twice.
    package func close() {
        source.close()
    }

    private func yieldWhenGreedy() async {
        let turn = source.loop.turn
        if turn != acceptTurn {
            acceptTurn = turn
            acceptedInTurn = 0
        } else if acceptedInTurn >= Self.turnBudget {
            await Task.yield()
            acceptedInTurn = 0
        }
    }
}
