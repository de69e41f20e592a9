import HTTP

/// What a streaming handler writes to; it frames the pieces and waits for a slow client.
final class StreamWriter: ResponseBodyWriter {
    private let framing: BodyFraming
    private var connection: ServerConnection?
    private var remaining: Int
    private var peerHasGone = false

    /// Called once when the client goes away while the handler waits for something else.
    var onDisconnect: (() -> Void)?

    init(connection: ServerConnection, framing: BodyFraming) {
        self.connection = connection
        self.framing = framing
        if case .length(let length) = framing { remaining = length } else { remaining = .max }
        connection.streamWriter = self
    }

    var isOpen: Bool {
        guard let connection else { return false }
        return !peerHasGone && !connection.hasFailed
    }

    func write(_ bytes: [UInt8]) async throws(DisconnectedError) {
        guard let connection, isOpen else { throw DisconnectedError("the client has gone") }
        guard !bytes.isEmpty else { return }
        guard bytes.count <= remaining else { throw DisconnectedError("the body is longer than announced") }
        switch framing {
        case .chunked: MessageWriter.appendChunk(bytes, to: &connection.output)
        default:
            remaining -= bytes.count
            connection.output.append(contentsOf: bytes)
        }
        guard await connection.flush() else { throw DisconnectedError("the client has gone") }
    }

    /// Ends the body as its framing asks.
    func finish() async throws(DisconnectedError) {
        guard let connection else { return }
        if framing == .chunked { MessageWriter.appendLastChunk(to: &connection.output) }
        guard remaining == 0 || remaining == .max else { throw DisconnectedError("the body is shorter than announced") }
        guard await connection.flush() else { throw DisconnectedError("the client has gone") }
    }

    /// Cuts the connection, for the body cannot be completed.
    func fail() {
        connection?.abort()
    }

    func detach() {
        connection?.streamWriter = nil
        connection = nil
        onDisconnect = nil
    }

    /// The peer has ended or broken the stream.
    func noteDisconnect() {
        guard !peerHasGone else { return }
        peerHasGone = true
        onDisconnect?()
    }
}
