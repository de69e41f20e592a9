import Glibc
import Platform
import SandboxSpec

/// A descriptor socket on which several tasks send, one after the other; loop-confined.
final class MessageSocket {
    private let socket: DescriptorSocket
    private let turn = LoopCondition()
    private var isSending = false
    private(set) var isClosed = false

    init(_ descriptor: consuming OwnedDescriptor, on loop: EventLoop) throws(PlatformError) {
        socket = try DescriptorSocket(loop: loop, adopting: descriptor)
    }

    func send(_ bytes: [UInt8], _ descriptors: [Int32] = []) async throws(PlatformError) {
        guard bytes.count <= WireLimits.messageBytes else {
            throw PlatformError(stage: "message of \(bytes.count) bytes", errno: E2BIG)
        }
        while isSending { await turn.wait() }
        isSending = true
        defer {
            isSending = false
            turn.signalAll()
        }
        try await socket.send(bytes, descriptors: descriptors)
    }

    /// The next message, or nil once the peer has gone or this end is closed.
    func receive() async -> (bytes: [UInt8], descriptors: [Int32])? {
        guard !isClosed else { return nil }
        return try? await socket.receive(
            max: WireLimits.replyBytes,
            maxDescriptors: WireLimits.descriptors
        )
    }

    func close() {
        isClosed = true
        socket.close()
    }
}
