import Core
import HTTP
import Platform
import Testing
import Transport

@testable import Egress

/// A broker between a client that stands for the agent and a server that stands for the model API.
final class BrokerFixture {
    static let token = "attempt-token"
    static let key = "canary-key"

    let loop: EventLoop
    let broker: ModelBroker
    let client: HTTPClient
    let upstreamAddress: SocketAddress
    private(set) var faults: [String] = []
    private let upstream: HTTPServer
    private let ended = LoopCondition()
    private(set) var hasEnded = false

    /// Runs `body` with an upstream that answers by `respond`; without one nothing listens there.
    static func run(
        respond: (@Sendable (HTTPRequest) async -> HTTPResponse)?,
        prefix: String = "",
        _ body: @escaping @Sendable (BrokerFixture) async throws -> Void
    ) async throws {
        let loop = try EventLoop.start(name: "test")
        defer { loop.stop() }
        try await loop.run {
            let fixture = try BrokerFixture(loop, respond, prefix)
            do {
                try await body(fixture)
            } catch {
                await fixture.stop()
                throw error
            }
            await fixture.stop()
        }
    }

    /// A server on a free loopback port.
    static func serve(
        _ loop: EventLoop,
        _ respond: @escaping (HTTPRequest) async -> HTTPResponse
    ) throws -> HTTPServer {
        let server = HTTPServer(
            loop: loop,
            listener: try listener(loop),
            tls: nil,
            connectionCounter: ConnectionCounter(limits: ServerLimits()),
            respond: respond
        )
        loop.spawnLocal { await server.run() }
        return server
    }

    private static func listener(_ loop: EventLoop) throws -> ListeningSocket {
        try ListeningSocket.bind(.ipv4([127, 0, 0, 1], port: 0), on: loop, reusePort: false, backlog: 64)
    }

    private init(
        _ loop: EventLoop,
        _ respond: (@Sendable (HTTPRequest) async -> HTTPResponse)?,
        _ prefix: String
    ) throws {
        self.loop = loop
        upstream = try Self.serve(loop, respond ?? { _ in .noContent })
        upstreamAddress = upstream.address
        broker = ModelBroker(
            loop: loop,
            listener: try Self.listener(loop),
            token: Self.token,
            upstream: try ModelUpstream(
                ModelEndpoint(
                    provider: .anthropic,
                    baseURL: "http://127.0.0.1:\(upstreamAddress.port)\(prefix)",
                    reach: .anywhere
                ),
                key: Self.key,
                tls: nil
            )
        )
        client = HTTPClient(loop: loop, tls: nil)
        broker.onFault = { [weak self] in self?.faults.append($0) }
        loop.spawnLocal { [self] in
            await broker.run()
            hasEnded = true
            ended.signalAll()
        }
    }

    /// Takes the upstream away.
    func dropUpstream() async { await upstream.drain(deadline: .zero) }

    /// Closes the broker and waits until it has served its last request.
    func stop() async {
        client.close()
        broker.close()
        await waitForEnd()
        await upstream.drain(deadline: .zero)
    }

    /// Waits until the broker has served its last request.
    func waitForEnd() async { while !hasEnded { await ended.wait() } }

    func url(_ target: String = "/v1/messages?beta=true") throws -> ClientURL {
        try #require(ClientURL("http://127.0.0.1:\(broker.address.port)\(target)"))
    }

    /// Sends a request with the attempt's token and gives the whole answer.
    func post(_ target: String = "/v1/messages?beta=true", _ body: [UInt8] = [123, 125]) async throws -> ClientResponse
    {
        try await client.send(method: .post, url: try url(target), headers: Self.headers, body: body)
    }

    static var headers: HTTPHeaders { HTTPHeaders([("x-api-key", token), ("content-type", "application/json")]) }

    /// Opens a bare connection to the broker.
    func connect() async throws -> any ByteStream {
        try await StreamConnector.connect(
            to: [broker.address],
            host: "127.0.0.1",
            tls: nil,
            on: loop,
            timeout: .seconds(5)
        )
    }

    /// Sends bytes as they are and gives the answer up to the end of the connection.
    func exchange(_ text: String) async throws -> String {
        let stream = try await connect()
        try await stream.write([UInt8](text.utf8))
        var answer: [UInt8] = []
        while let piece = try? await stream.read(max: 65_536), !piece.isEmpty { answer += piece }
        stream.close()
        return String(decoding: answer, as: UTF8.self)
    }
}

/// What an upstream saw, collected on its loop.
final class Seen: Sendable {
    private let requests = Lock<[String]>([])

    func note(_ request: HTTPRequest) {
        let fields = ["host", "x-api-key", "authorization", "proxy-authorization"].map {
            "\($0)=\(request.headers.values(of: $0).joined(separator: "|"))"
        }
        let line = "\(request.method.rawValue) \(request.target) " + fields.joined(separator: " ")
        requests.withLock { $0.append(line) }
    }

    var all: [String] { requests.withLock { $0 } }
}
