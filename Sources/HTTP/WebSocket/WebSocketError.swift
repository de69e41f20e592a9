/// The peer broke the WebSocket protocol; the connection closes with this code.
package struct WebSocketError: Error, Hashable, Sendable {
    /// The close code to send.
    package let code: UInt16
    /// The reason to send, also for logs.
    package let reason: String

    static func protocolViolation(_ reason: String) -> WebSocketError { WebSocketError(code: 1002, reason: reason) }
    static let invalidUTF8 = WebSocketError(code: 1007, reason: "text is not valid UTF-8")
    static let messageTooBig = WebSocketError(code: 1009, reason: "message too big")
}

/// Which end of the connection we are; it decides who masks.
package enum WebSocketRole: Sendable {
    /// Receives masked frames only, sends unmasked ones.
    case server
    /// Receives unmasked frames only, sends masked ones.
    case client
}

/// The frame types of RFC 6455.
package enum WebSocketOpcode: UInt8, Sendable {
    /// A further fragment of a message.
    case continuation = 0
    /// A text message or its first fragment.
    case text = 1
    /// A binary message or its first fragment.
    case binary = 2
    /// The closing handshake.
    case close = 8
    /// Asks for a pong.
    case ping = 9
    /// Answers a ping.
    case pong = 10
}

/// The status codes that close frames carry.
package enum WebSocketCloseCode {
    /// The purpose is fulfilled.
    package static let normal: UInt16 = 1000
    /// The server goes down or the page is left.
    package static let goingAway: UInt16 = 1001
    /// A message broke a rule of the application.
    package static let policyViolation: UInt16 = 1008
    /// Something went wrong on the server.
    package static let internalError: UInt16 = 1011

    /// Whether a peer may send this code.
    static func isAllowed(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
