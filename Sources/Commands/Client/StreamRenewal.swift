import Bytes
import HTTP
import Platform

/// Keeps a stream open past the life of the token it was opened with: whenever the session has a newer one, it is sent.
///
/// It looks every few seconds by the wall clock, for a laptop that slept has no timer that knows of it.
final class StreamRenewal {
    /// Far below the time that a session renews its token before it ends.
    static let interval = Duration.seconds(5)

    private let session: ClientSession
    private let channel: any WebSocketChannel
    private let interval: Duration
    /// What the server knows the stream by.
    private var presented: String
    private var isOver = false

    init(_ channel: any WebSocketChannel, openedWith token: String, _ session: ClientSession, every interval: Duration)
    {
        self.session = session
        self.channel = channel
        self.interval = interval
        presented = token
    }

    /// Begins to look; the stream's end or `stop` ends it.
    func start() {
        session.loop.spawnLocal { await self.run() }
    }

    /// Ends it.
    func stop() {
        isOver = true
    }

    private func run() async {
        while true {
            await session.loop.sleep(interval)
            guard !isOver, channel.isOpen else { return }
            // What fails is tried again; in the end the server closes the stream, and coming again tells why.
            guard let token = try? await session.token(), token != presented, !isOver else { continue }
            presented = token
            try? await channel.send(text: Self.message(token))
        }
    }

    private static func message(_ token: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "auth")
        writer.member("access_token", token)
        writer.endObject()
        return writer.bytes
    }
}
