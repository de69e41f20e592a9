import Core
import HTTP
import Platform
import Testing

/// A handshake for a job's WebSocket, and the socket when it opens.
final class JobSocket {
    let channel = HeldChannel()
    let status: Int
    /// The code of the problem that the handshake was refused with.
    let code: String?
    private let loop: EventLoop
    private let changed = LoopCondition()
    private var hasEnded = true

    private static let handshake = [
        ("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]

    /// Sends a handshake, with a field left out when a test wants that.
    init(
        _ job: JobID,
        _ fields: [(String, String)],
        query: String = "",
        without left: String = "",
        allowsUpgrade: Bool = true,
        in world: APIWorld
    ) async {
        loop = world.loop
        let headers = HTTPHeaders(Self.handshake.filter { $0.0 != left } + fields)
        guard
            let request = try? HTTPRequest(
                method: .get,
                target: "/v1/jobs/\(job)/stream\(query)",
                headers: headers,
                remoteAddress: "192.0.2.1",
                isSecure: true,
                authority: "errand.test"
            )
        else {
            (status, code) = (0, nil)
            return
        }
        request.allowsUpgrade = allowsUpgrade
        let response = await world.replicas[0].router.respond(to: request)
        status = response.status
        code = response.problem?.code
        guard case .webSocket(_, _, let handler) = response.body else { return }
        hasEnded = false
        channel.onChange = { [changed] in changed.signalAll() }
        loop.spawnLocal { [self] in
            await handler(channel)
            hasEnded = true
            changed.signalAll()
        }
    }

    /// A socket that is open and has shown the job's state.
    static func opened(_ job: JobID, _ token: String, in world: APIWorld) async throws -> JobSocket {
        let socket = await JobSocket(job, [("authorization", "Bearer \(token)")], in: world)
        try #require(socket.status == 101, "\(socket.code ?? "")")
        try #require(await socket.shows("job:state"))
        return socket
    }

    /// The client sends a text message.
    func say(_ text: String) { channel.onMessage?(.text(text)) }

    /// Whether a message with this in it comes.
    func shows(_ part: String) async -> Bool { await wait { channel.holds(part) } }

    /// Whether the server closes with this code and lets go of the socket.
    func closes(with code: UInt16) async -> Bool {
        await wait { channel.closed != nil && hasEnded } && channel.closed?.code == code
    }

    /// Closes from this side.
    func leave() async {
        await channel.close(code: 1000, reason: "")
        channel.onDisconnect?()
        _ = await wait { hasEnded }
    }

    private func wait(until holds: () -> Bool) async -> Bool {
        let end = loop.now.advanced(by: .seconds(10))
        while !holds() {
            guard loop.now < end else { return false }
            _ = await changed.wait(timeout: .milliseconds(20), on: loop)
        }
        return true
    }
}
