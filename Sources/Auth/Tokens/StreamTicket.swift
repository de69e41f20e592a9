private import Bytes
private import Crypto

/// A one-use ticket for a client whose WebSocket cannot set a header; it travels as a subprotocol, never in a URL.
package struct StreamTicket: Sendable {
    /// Time enough to open a socket, and no more.
    package static let lifetime = Duration.seconds(30)
    /// What marks the offered subprotocol that carries a ticket.
    package static let subprotocolPrefix = "errand.ticket."

    private static let secretLength = 32

    /// The text that the client presents.
    package let token: String

    /// A new ticket.
    package static func make() -> StreamTicket {
        StreamTicket(token: Base64.encodeURL(SecureRandom.bytes(secretLength)))
    }

    /// What the store keeps.
    package var hash: [UInt8] { Digest.sha256([UInt8](token.utf8)) }

    /// The hash of the ticket that an offered subprotocol carries, or nil when it carries none.
    package static func hash(ofSubprotocol offered: String) -> [UInt8]? {
        guard offered.hasPrefix(subprotocolPrefix) else { return nil }
        let token = String(offered.dropFirst(subprotocolPrefix.count))
        guard Base64.decodeURL(token)?.count == secretLength else { return nil }
        return StreamTicket(token: token).hash
    }
}
