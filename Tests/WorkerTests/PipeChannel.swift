import HTTP
import Platform

/// One end of a WebSocket that exists only in memory.
final class PipeChannel: WebSocketChannel {
    private weak var peer: PipeChannel?
    private let changed = LoopCondition()
    private var messages: [WebSocketMessage] = []
    private(set) var isOpen = true
    private(set) var closeCode: UInt16?
    var onDisconnect: (() -> Void)?
    /// While true, what is sent to the peer is lost, as on a dead connection.
    var isDeaf = false

    /// Two ends that are joined.
    static func pair() -> (PipeChannel, PipeChannel) {
        let (one, other) = (PipeChannel(), PipeChannel())
        one.peer = other
        other.peer = one
        return (one, other)
    }

    func receive() async throws(DisconnectedError) -> WebSocketMessage? {
        while messages.isEmpty {
            guard isOpen else { return nil }
            await changed.wait()
        }
        return messages.removeFirst()
    }

    func send(text: [UInt8]) async throws(DisconnectedError) {
        try pass(.text(String(decoding: text, as: UTF8.self)))
    }

    func send(binary: [UInt8]) async throws(DisconnectedError) { try pass(.binary(binary)) }

    func close(code: UInt16, reason: String) async {
        closeCode = closeCode ?? code
        shut()
        peer?.shut()
    }

    /// Breaks the connection: what is on its way is lost.
    func cut() {
        messages = []
        peer?.messages = []
        shut()
        peer?.shut()
    }

    private func pass(_ message: WebSocketMessage) throws(DisconnectedError) {
        guard isOpen, let peer else { throw DisconnectedError("closed") }
        guard !isDeaf else { return }
        peer.messages.append(message)
        peer.changed.signalAll()
    }

    private func shut() {
        guard isOpen else { return }
        isOpen = false
        changed.signalAll()
        onDisconnect?()
    }
}
