import HTTP
import Platform
import Testing
import Transport

/// Whether a test speaks TLS.
enum Security: String, CaseIterable, Sendable {
    case plain, tls
}

/// A server and a client on one loop of their own.
final class ServerFixture {
    let loop: EventLoop
    let server: HTTPServer
    let client: HTTPClient
    let counter: ConnectionCounter
    let security: Security
    let ended = LoopCondition()
    private(set) var faults: [String] = []

    /// Runs `body` with a server that answers by `respond`.
    static func run(
        _ security: Security,
        limits: ServerLimits = ServerLimits(),
        clientLimits: ClientLimits = ClientLimits(),
        proxies: TrustedProxies = .none,
        cors: CORSPolicy = .none,
        respond: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
        _ body: @escaping @Sendable (ServerFixture) async throws -> Void
    ) async throws {
        let certificate = try TestCertificate.shared.get()
        let loop = try EventLoop.start(name: "test")
        defer { loop.stop() }
        try await loop.run {
            let fixture = try ServerFixture(loop, security, certificate, limits, clientLimits, proxies, cors, respond)
            loop.spawnLocal { await fixture.server.run() }
            do {
                try await body(fixture)
            } catch {
                await fixture.stop()
                throw error
            }
            await fixture.stop()
        }
    }

    private init(
        _ loop: EventLoop,
        _ security: Security,
        _ certificate: TestCertificate,
        _ limits: ServerLimits,
        _ clientLimits: ClientLimits,
        _ proxies: TrustedProxies,
        _ cors: CORSPolicy,
        _ respond: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) throws {
        self.loop = loop
        self.security = security
        counter = ConnectionCounter(limits: limits)
        server = HTTPServer(
            loop: loop,
            listener: try ListeningSocket.bind(
                .ipv4([127, 0, 0, 1], port: 0),
                on: loop,
                reusePort: false,
                backlog: 128
            ),
            tls: security == .tls ? try certificate.serverContext() : nil,
            limits: limits,
            trustedProxies: proxies,
            cors: cors,
            connectionCounter: counter,
            respond: respond
        )
        client = HTTPClient(
            loop: loop,
            tls: security == .tls ? try certificate.clientContext() : nil,
            limits: clientLimits
        )
        server.onFault = { [weak self] in self?.faults.append($0) }
    }

    func url(_ target: String, webSocket: Bool = false) throws -> ClientURL {
        let scheme = (webSocket ? "ws" : "http") + (security == .tls ? "s" : "")
        return try #require(ClientURL("\(scheme)://127.0.0.1:\(server.address.port)\(target)"))
    }

    /// A bare connection, inside TLS where the server is.
    func connect() async throws -> any ByteStream {
        try await StreamConnector.connect(
            to: [server.address],
            host: "127.0.0.1",
            tls: security == .tls ? try TestCertificate.shared.get().clientContext() : nil,
            on: loop,
            timeout: .seconds(5)
        )
    }

    private func stop() async {
        client.close()
        await server.drain(deadline: .seconds(2))
    }
}

extension ByteStream {
    func write(_ text: String) async throws {
        try await write(Array(text.utf8))
    }

    /// Reads until what came contains `marker`, or to the end.
    func read(until marker: String) async throws -> String {
        var text = ""
        while !text.contains(marker) {
            let bytes = try await read(max: 65_536)
            if bytes.isEmpty { break }
            text += String(decoding: bytes, as: UTF8.self)
        }
        return text
    }

    /// Reads until the server closes.
    func readToEnd() async -> String {
        var text = ""
        while let bytes = try? await read(max: 65_536), !bytes.isEmpty {
            text += String(decoding: bytes, as: UTF8.self)
        }
        return text
    }
}
