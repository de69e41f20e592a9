import Bytes
package import HTTP
package import Platform

/// An HTTP/1.1 and WebSocket client of one loop, with a bounded pool of idle connections per server.
package final class HTTPClient {
    /// Turns a URL's host into addresses; a proxy with an allow-list gives its own.
    package typealias Resolver = (_ host: String, _ port: UInt16) async throws -> [SocketAddress]

    private let loop: EventLoop
    private let tls: TLSClientContext?
    private let limits: ClientLimits
    private let resolve: Resolver
    private let buffers = BufferPool()
    private var idle: [String: [ClientConnection]] = [:]
    private var sweep: LoopTimer?
    /// Those whose request is on its way, or has no answer yet.
    private var waiting: [ObjectIdentifier: ClientConnection] = [:]
    private var isClosed = false
    private var isCut = false

    /// Makes a client; without `tls` only http and ws URLs can be used.
    package init(
        loop: EventLoop,
        tls: TLSClientContext?,
        limits: ClientLimits = ClientLimits(),
        resolve: @escaping Resolver = { try await NameResolver.resolve(host: $0, port: $1) }
    ) {
        self.loop = loop
        self.tls = tls
        self.limits = limits
        self.resolve = resolve
    }

    /// Sends a request and collects the answer, at most `limits.body` of it.
    package func send(
        method: HTTPMethod,
        url: ClientURL,
        headers: HTTPHeaders = HTTPHeaders(),
        body: [UInt8] = []
    ) async throws(HTTPClientError) -> ClientResponse {
        let answer = try await stream(
            method: method,
            url: url,
            headers: headers,
            body: body.isEmpty ? .empty : .bytes(body)
        )
        let bytes = try await answer.collect(limit: limits.body)
        return ClientResponse(status: answer.status, headers: answer.headers, body: bytes)
    }

    /// Sends a request and returns as soon as the answer's head is there.
    package func stream(
        method: HTTPMethod,
        url: ClientURL,
        headers: HTTPHeaders = HTTPHeaders(),
        body: ClientBody = .empty
    ) async throws(HTTPClientError) -> ClientStreamingResponse {
        while true {
            let connection = try await connection(to: url)
            let wasReused = connection.isReused
            waiting[ObjectIdentifier(connection)] = connection
            defer { waiting[ObjectIdentifier(connection)] = nil }
            do throws(HTTPClientError) {
                guard !isCut else { throw .connection(.closed) }
                try await ClientRequest(method: method, url: url, headers: headers, body: body).write(to: connection)
                let head = try await connection.readHead(
                    isAnswerToHead: method == .head,
                    timeout: limits.responseTimeout
                )
                return ClientStreamingResponse(
                    head: head,
                    connection: connection,
                    idleTimeout: limits.idleTimeout
                ) { [weak self] in self?.keep($0, for: url) }
            } catch {
                connection.wire.close()
                // The server may have closed an idle connection just now: once more on a fresh one, where that is safe.
                guard wasReused, !isCut, Self.maySendAgain(method, body), case .connection = error else { throw error }
            }
        }
    }

    /// Opens a WebSocket; the answer's fields come with it.
    package func webSocket(
        url: ClientURL,
        headers: HTTPHeaders = HTTPHeaders(),
        subprotocols: [String] = [],
        limits socketLimits: WebSocketLimits = WebSocketLimits()
    ) async throws(HTTPClientError) -> (channel: any WebSocketChannel, headers: HTTPHeaders) {
        let connection = try await freshConnection(to: url)
        let key = WebSocketKey.make()
        var fields = headers
        fields.set(name: "connection", value: "Upgrade")
        fields.set(name: "upgrade", value: "websocket")
        fields.set(name: "sec-websocket-version", value: "13")
        fields.set(name: "sec-websocket-key", value: key)
        if !subprotocols.isEmpty {
            let offer = subprotocols.joined(separator: ", ")
            guard fields.set(name: "sec-websocket-protocol", value: offer) else {
                throw .invalidHeader("sec-websocket-protocol")
            }
        }
        try await ClientRequest(method: .get, url: url, headers: fields, body: .empty).write(to: connection)
        let head = try await connection.readHead(isAnswerToHead: false, timeout: limits.connectTimeout)
        let fault = WebSocketHandshake.fault(
            in: head,
            expectedAccept: WebSocketKey.accept(key),
            offeredSubprotocols: subprotocols
        )
        if let fault {
            let answer = ClientStreamingResponse(
                head: head,
                connection: connection,
                idleTimeout: limits.connectTimeout
            ) { _ in }
            // A problem document tells more than the status, when it can be read.
            let body = head.status == 101 ? [] : (try? await answer.collect(limit: 64 << 10)) ?? []
            answer.close()
            throw .refusedUpgrade(status: head.status, reason: fault, body: body)
        }
        connection.deadline.cancel()
        let channel = WebSocketConnection(
            wire: connection.releaseWire(),
            role: .client,
            limits: socketLimits,
            pool: buffers,
            received: connection.input.take(.max)
        )
        return (channel, head.headers)
    }

    deinit {
        sweep?.cancel()
    }

    /// Closes the idle connections; those in use close when their answers end.
    package func close() {
        isClosed = true
        for connection in idle.values.joined() { connection.wire.close() }
        idle = [:]
        sweep?.cancel()
        sweep = nil
    }

    /// Closes the client, and cuts the requests that have no answer yet; answers under way are their holders' to close.
    package func cut() {
        isCut = true
        close()
        for connection in waiting.values { connection.wire.close() }
    }

    private func connection(to url: ClientURL) async throws(HTTPClientError) -> ClientConnection {
        let key = Self.poolKey(url)
        while let connection = idle[key]?.popLast() {
            if loop.now - connection.idleSince < limits.keepAlive, connection.isUsable { return connection }
            connection.wire.close()
        }
        return try await freshConnection(to: url)
    }

    private func freshConnection(to url: ClientURL) async throws(HTTPClientError) -> ClientConnection {
        let addresses: [SocketAddress]
        do {
            addresses = try await resolve(url.host, url.port)
        } catch {
            throw .unreachable("\(error)")
        }
        if url.isSecure, tls == nil { throw .noTrust }
        let wire = try await StreamConnector.wire(
            to: addresses,
            host: url.host,
            tls: url.isSecure ? tls : nil,
            on: loop,
            timeout: limits.connectTimeout
        )
        return ClientConnection(wire: wire, pool: buffers)
    }

    private func keep(_ connection: ClientConnection, for url: ClientURL) {
        let key = Self.poolKey(url)
        guard !isClosed, idle[key, default: []].count < limits.idlePerHost else { return connection.wire.close() }
        connection.isReused = true
        connection.idleSince = loop.now
        idle[key, default: []].append(connection)
        scheduleSweep()
    }

    /// Closes what has been idle too long, also towards servers that are never asked again.
    private func scheduleSweep() {
        guard sweep == nil, !idle.isEmpty else { return }
        sweep = loop.schedule(after: limits.keepAlive) { [weak self] in
            guard let self else { return }
            sweep = nil
            let now = loop.now
            for (key, connections) in idle {
                let kept = connections.filter { now - $0.idleSince < limits.keepAlive }
                idle[key] = kept.isEmpty ? nil : kept
            }
            scheduleSweep()
        }
    }

    private static func poolKey(_ url: ClientURL) -> String {
        "\(url.isSecure ? "s" : "p")|\(url.host)|\(url.port)"
    }

    private static func maySendAgain(_ method: HTTPMethod, _ body: ClientBody) -> Bool {
        if case .stream = body { return false }
        return [.get, .head, .put, .delete, .options].contains(method)
    }
}
