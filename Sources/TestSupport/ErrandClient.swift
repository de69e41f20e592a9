package import Bytes
package import HTTP
package import Platform
import Transport

/// A small client of the API for tests; each call is one request, nothing is repeated unasked.
package actor ErrandClient {
    /// An answer with its body.
    package struct Answer: Sendable {
        /// The status.
        package let status: Int
        /// The fields.
        package let headers: HTTPHeaders
        /// The body.
        package let body: [UInt8]

        /// The body as JSON, null when it is none.
        package var json: JSONValue { (try? JSONReader.parse(body)) ?? .null }
        /// The body as text.
        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// The loop of the client.
    package nonisolated let loop: EventLoop
    /// The server's address.
    package nonisolated let url: String
    nonisolated let access: ServerAccess
    private let http: HTTPClient
    /// The access token, once signed in.
    package private(set) var token: String?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.actor.unownedExecutor }

    /// A client of a server that proves to be who it is by an authority's certificate.
    ///
    /// With `host` the server is asked for under that name, at the same address.
    package init(url: String, authority: String, host: String? = nil, on loop: EventLoop) throws {
        guard let base = ClientURL(url), let address = SocketAddress(host: base.host, port: base.port),
            let named = host.map({ ClientURL("https://\($0):\(base.port)") }) ?? base
        else { throw ClientError(description: "\(url) is no numeric address") }
        self.url = url
        self.loop = loop
        access = ServerAccess(base: named, address: address, tls: try TLSClientContext(caFile: authority))
        http = access.client(on: loop)
    }

    /// Descriptors are closed on their loop.
    isolated deinit {}

    /// Goes by a token or API key that was got elsewhere.
    package func use(token: String) {
        loop.requireOnLoop()
        self.token = token
    }

    /// Signs in and keeps the token.
    package func signIn(_ email: String, _ password: String) async throws {
        loop.requireOnLoop()
        let form = JSONObject([("email", .string(email)), ("password", .string(password))])
        let answer = try await expect([200], .post, "/v1/auth/login", .object(form))
        token = answer["access_token"]?.string
    }

    /// Sends a request and gives whatever is answered.
    package func send(
        _ method: HTTPMethod,
        _ path: String,
        _ body: JSONValue? = nil,
        headers more: [(String, String)] = []
    ) async throws -> Answer {
        loop.requireOnLoop()
        var headers = try fields(more)
        if body != nil { headers.set(name: "content-type", value: "application/json") }
        return try await send(method, path, headers, body.map { .bytes($0.encoded()) } ?? .empty)
    }

    /// Sends a body of another type, piece by piece.
    package func send(_ method: HTTPMethod, _ path: String, type: String, _ body: PiecedBody) async throws -> Answer {
        loop.requireOnLoop()
        let headers = try fields([("content-type", type)])
        return try await send(method, path, headers, .stream(length: nil, { try await body.next() }))
    }

    /// Sends a request and gives the answer's document, or throws when the status is another one.
    @discardableResult
    package func expect(
        _ statuses: Set<Int>,
        _ method: HTTPMethod,
        _ path: String,
        _ body: JSONValue? = nil,
        headers: [(String, String)] = []
    ) async throws -> JSONValue {
        loop.requireOnLoop()
        let answer = try await send(method, path, body, headers: headers)
        guard statuses.contains(answer.status) else {
            throw ClientError(description: "\(method.rawValue) \(path): \(answer.status) \(answer.text.prefix(1_000))")
        }
        return answer.json
    }

    /// The status that a WebSocket is refused with; nil when it is opened.
    package func refusal(ofStream path: String) async throws -> Int? {
        loop.requireOnLoop()
        do {
            let channel = try await http.webSocket(url: try access.target(path), headers: try fields([])).channel
            await channel.close(code: 1000, reason: "")
            return nil
        } catch HTTPClientError.refusedUpgrade(let status, _, _) {
            return status
        }
    }

    /// Waits for the time that a server asked for.
    package func pause(_ duration: Duration) async {
        loop.requireOnLoop()
        // Not `sleep`, which needs a task that prefers the loop.
        _ = await LoopCondition().wait(timeout: duration, on: loop)
    }

    /// Waits until the server takes no new connections.
    package func refusesConnections() async throws {
        loop.requireOnLoop()
        let end = loop.now.advanced(by: .seconds(60))
        while let socket = try? await ByteSocket.connect(to: access.address, on: loop, timeout: .seconds(1)) {
            socket.close()
            guard loop.now < end else { throw ClientError(description: "the server still takes connections") }
            await pause(.milliseconds(20))
        }
    }

    /// Whether an error may pass when the server is back: it was away, or it cannot reach its database.
    package static func isPassing(_ error: any Error) -> Bool {
        switch error as? HTTPClientError {
        case .unreachable, .connection, .timeout, .brokenBody: true
        case .refusedUpgrade(let status, _, _): status == 503
        default: false
        }
    }

    private func send(
        _ method: HTTPMethod,
        _ path: String,
        _ headers: HTTPHeaders,
        _ body: ClientBody
    ) async throws -> Answer {
        loop.requireOnLoop()
        let answer = try await http.stream(method: method, url: try access.target(path), headers: headers, body: body)
        let bytes = try await answer.collect(limit: 64 << 20)
        return Answer(status: answer.status, headers: answer.headers, body: bytes)
    }

    private func fields(_ more: [(String, String)]) throws -> HTTPHeaders {
        var headers = HTTPHeaders()
        if let token { headers.append(name: "authorization", value: "Bearer \(token)") }
        for (name, value) in more {
            guard headers.append(name: name, value: value) else {
                throw ClientError(description: "the field \(name) cannot be sent")
            }
        }
        return headers
    }
}

/// How a server is reached and known.
struct ServerAccess: Sendable {
    let base: ClientURL
    let address: SocketAddress
    let tls: TLSClientContext

    func client(on loop: EventLoop) -> HTTPClient {
        HTTPClient(loop: loop, tls: tls, resolve: { [address] _, _ in [address] })
    }

    func target(_ path: String) throws -> ClientURL {
        guard let url = base.with(target: path) else { throw ClientError(description: "\(path) cannot be sent") }
        return url
    }
}

/// The server did not answer as a test expects.
package struct ClientError: Error, CustomStringConvertible {
    /// What was asked and what came.
    package let description: String
}
