/// A whole message received from the peer.
package enum WebSocketMessage: Sendable, Equatable {
    /// A text message, valid UTF-8.
    case text(String)
    /// A binary message.
    case binary([UInt8])
}

/// What one WebSocket may use.
package struct WebSocketLimits: Sendable {
    /// The largest message accepted, over all its fragments; more closes with 1009.
    package var maximumMessage: Int
    /// How often an idle socket is asked whether it lives; below the minute after which common proxies cut.
    package var pingInterval: Duration
    /// A peer that sends nothing, not even a pong, for this long is gone: three pings missed.
    package var idleTimeout: Duration

    /// Makes limits; the defaults suit a live stream to a browser.
    package init(
        maximumMessage: Int = 1 << 20,
        pingInterval: Duration = .seconds(20),
        idleTimeout: Duration = .seconds(60)
    ) {
        self.maximumMessage = maximumMessage
        self.pingInterval = pingInterval
        self.idleTimeout = idleTimeout
    }
}

/// An open WebSocket, the same on both sides; frames of concurrent senders never interleave.
package protocol WebSocketChannel: AnyObject {
    /// Waits for the next message; nil when the peer has closed in good order.
    func receive() async throws(DisconnectedError) -> WebSocketMessage?

    /// Sends a text message; the bytes must be UTF-8.
    func send(text: [UInt8]) async throws(DisconnectedError)

    /// Sends a binary message.
    func send(binary: [UInt8]) async throws(DisconnectedError)

    /// Begins the closing handshake; further sends throw.
    func close(code: UInt16, reason: String) async

    /// False once either side has closed or the connection is gone.
    var isOpen: Bool { get }

    /// Called once when the socket is no longer open, for senders that receive nothing.
    var onDisconnect: (() -> Void)? { get set }

    /// Takes each message as it comes, in place of `receive`: for sockets that cannot afford a task to wait in.
    var onMessage: ((WebSocketMessage) -> Void)? { get set }

    /// The code that the peer closed with; nil while it has not, or when it gave none.
    var closeCode: UInt16? { get }
}

extension WebSocketChannel {
    /// Never called: for channels without a socket, as in tests.
    package var onDisconnect: (() -> Void)? {
        get { nil }
        set { _ = newValue }
    }

    /// Never called: for channels without a socket, as in tests.
    package var onMessage: ((WebSocketMessage) -> Void)? {
        get { nil }
        set { _ = newValue }
    }

    /// Never known: for channels without a socket, as in tests.
    package var closeCode: UInt16? { nil }
}
