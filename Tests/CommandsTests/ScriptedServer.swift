import Bytes
import Core
import HTTP
import Platform
import Testing
import Transport

@testable import Commands

/// A server on this machine that answers by a script, and a client of it with its own credentials file.
final class ScriptedServer {
    let loop: EventLoop
    let environment: ClientEnvironment
    private(set) var requests: [HTTPRequest] = []
    private(set) var shown = Collected()

    private let server: HTTPServer
    private let home: String

    /// What the client wrote, kept off the loop.
    final class Collected: Sendable {
        private let pieces = Lock<[OutputQueue.Piece]>([])

        func take(_ more: [OutputQueue.Piece]) { pieces.withLock { $0 += more } }

        func text(_ descriptor: Int32) -> String {
            let bytes = pieces.withLock { $0.filter { $0.descriptor == descriptor }.flatMap(\.bytes) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Runs `body` with a server that answers by `script`; the number of requests so far tells the first from others.
    static func run(
        expiresIn seconds: Int = 600,
        _ script: @escaping @Sendable (HTTPRequest, Int) -> HTTPResponse,
        _ body: @escaping @Sendable (ScriptedServer) async throws -> Void
    ) async throws {
        let loop = try EventLoop.start(name: "test")
        defer { loop.stop() }
        try await loop.run {
            let scripted = try ScriptedServer(loop, script)
            loop.spawnLocal { await scripted.server.run() }
            defer { try? Files.removeTree(scripted.home) }
            let pair = try #require(TokenPair(Self.tokens("first", seconds: seconds), at: WallClock.now()))
            try await CredentialFile(scripted.environment).save(
                Credentials(url: scripted.url, caFile: nil, email: "a@b", tokens: pair)
            )
            try await body(scripted)
            await scripted.server.drain(deadline: .seconds(2))
        }
    }

    static func tokens(_ name: String, seconds: Int = 600) -> JSONValue {
        .object(
            JSONObject([
                ("access_token", .string(name)), ("refresh_token", .string("refresh-" + name)),
                ("expires_in", .integer(Int64(seconds))),
            ])
        )
    }

    private init(_ loop: EventLoop, _ script: @escaping @Sendable (HTTPRequest, Int) -> HTTPResponse) throws {
        self.loop = loop
        home = "/tmp/errand-client-\(UInt32.random(in: 0 ... .max))"
        let log = RequestLog()
        let limits = ServerLimits()
        server = HTTPServer(
            loop: loop,
            listener: try ListeningSocket.bind(
                .ipv4([127, 0, 0, 1], port: 0),
                on: loop,
                reusePort: false,
                backlog: 16
            ),
            tls: nil,
            limits: limits,
            connectionCounter: ConnectionCounter(limits: limits)
        ) { request in
            log.onRequest(request)
            return script(request, log.count)
        }
        environment = ClientEnvironment([
            "ERRAND_CONFIG_HOME": home, "ERRAND_URL": "http://127.0.0.1:\(server.address.port)",
        ])
        log.onRequest = { [weak self] in
            self?.requests.append($0)
            log.count += 1
        }
    }

    var url: String { "http://127.0.0.1:\(server.address.port)" }

    func client(clock: any TimeSource = SystemTime()) async throws -> Client {
        try await Client.open(
            on: loop,
            environment,
            sink: { [shown] in
                shown.take($0)
                return true
            },
            clock: clock
        )
    }

    /// The tokens that requests to a path came with.
    func tokens(for path: String) -> [String] {
        requests.filter { $0.path == path }.map { $0.headers["authorization"] ?? "" }
    }
}

private final class RequestLog {
    var count = 0
    var onRequest: (HTTPRequest) -> Void = { _ in }
}
