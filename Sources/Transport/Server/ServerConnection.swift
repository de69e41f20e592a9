import Bytes
import HTTP
import Platform

/// One connection of a server: a task that reads heads, calls the handler and writes responses until the end.
final class ServerConnection {
    private enum Phase { case opening, idle, readingHead, serving, upgraded, closing }

    /// A batch of pipelined responses is sent when it reaches this size: four TLS records.
    static let batchSize = 64 << 10

    let wire: any Wire
    let server: HTTPServer
    let peer: SocketAddress?
    var input: ConnectionInput
    /// Responses, or parts of one, that have not been sent.
    var output: [UInt8] = []
    /// How much of `output` has been sent already.
    var sent = 0
    var hasFailed = false
    var timedOut = false

    private var parser: RequestHeadParser
    private var phase = Phase.opening
    private var isFlushQueued = false
    private(set) lazy var deadline = ConnectionDeadline(loop: wire.loop) { [weak self] in self?.expire() }
    private weak var webSocket: WebSocketConnection?

    init(wire: any Wire, server: HTTPServer, peer: SocketAddress?) {
        self.wire = wire
        self.server = server
        self.peer = peer
        input = ConnectionInput(pool: server.pool)
        parser = RequestHeadParser(limits: server.limits.head)
    }

    func run() async {
        if await open() {
            while let length = await nextHead() {
                guard await serve(length) else { break }
            }
        }
        deadline.cancel()
        wire.close()
        server.remove(self, peer: peer)
    }

    /// Ends the connection when it is idle; otherwise its response says `connection: close`.
    func drain() {
        switch phase {
        case .idle: wire.interruptReading()
        case .upgraded: webSocket?.goAway()
        case .opening, .readingHead, .serving, .closing: break
        }
    }

    /// Cuts the connection.
    func abort() {
        hasFailed = true
        webSocket?.abort()
        wire.close()
    }

    private func open() async -> Bool {
        deadline.set(server.limits.headTimeout)
        do throws(TransportError) {
            try await wire.open()
            return true
        } catch {
            server.onFault("handshake with \(peer?.host ?? "a local client"): \(error)")
            return false
        }
    }

    private func expire() {
        timedOut = true
        // A handshake has no reader that could be told; all others read what has come and then the end.
        if phase == .opening { wire.close() } else { wire.interruptReading() }
    }

    /// Waits for a whole head; nil when the connection is to be closed.
    private func nextHead() async -> Int? {
        phase = .idle
        while true {
            if !input.isEmpty {
                do throws(HeadError) {
                    let length = try input.withBytes { (bytes) throws(HeadError) in try parser.parse(bytes) }
                    if let length { return length }
                } catch {
                    await refuse(error)
                    return nil
                }
            }
            guard await flush() else { return nil }
            if input.isEmpty {
                phase = .idle
                if server.isDraining { return nil }
                deadline.set(server.limits.idleTimeout)
            } else if phase != .readingHead {
                phase = .readingHead
                deadline.set(server.limits.headTimeout)
            }
            guard await readMore() else {
                if timedOut, !input.isEmpty { await refuseSlowHead() }
                return nil
            }
        }
    }

    /// Reads at least one byte; false at the end of the stream.
    func readMore() async -> Bool {
        while true {
            if wire.mustWait { await wire.awaitReadable() }
            switch input.fill(from: wire) {
            case .bytes: return true
            case .blocked: continue
            case .end, .failed: return false
            }
        }
    }

    /// Answers the request whose head has that length; false when the connection is to be closed.
    private func serve(_ length: Int) async -> Bool {
        phase = .serving
        deadline.clear()
        let head = parser.head
        parser.reset()
        let (headers, target, authority) = input.withBytes { bytes in
            (
                head.headers(from: bytes, length: length), head.originText(from: bytes),
                head.authorityText(from: bytes)
            )
        }
        input.consume(length)
        let client = server.trustedProxies.client(behind: peer, isSecure: wire.isSecure, headers: headers)
        let requestID = server.nextRequestID()
        let body = head.framing == .none ? nil : ConnectionBody(connection: self, head: head)
        var exchange = Exchange(connection: self, head: head, requestID: requestID)
        let request: HTTPRequest
        do throws(ProblemError) {
            request = try HTTPRequest(
                method: head.method,
                target: target,
                headers: headers,
                body: body ?? server.emptyBody,
                remoteAddress: client.host,
                isSecure: client.isSecure,
                requestID: requestID,
                authority: authority
            )
        } catch {
            exchange.keepsAlive = false
            await exchange.send(.problem(error.problem))
            return await finish(body, keepsAlive: false)
        }
        if !output.isEmpty { queueFlush() }
        let response = await answer(request)
        if case .webSocket(let subprotocol, let limits, let handler) = response.body {
            return await upgrade(request, exchange, response, subprotocol, limits, handler)
        }
        // A body that will not be drained is followed by nothing, and the client should know.
        if let body, !body.canBeDrained { exchange.keepsAlive = false }
        if server.isDraining { exchange.keepsAlive = false }
        await exchange.send(response)
        return await finish(body, keepsAlive: exchange.keepsAlive)
    }

    private func answer(_ request: HTTPRequest) async -> HTTPResponse {
        if let preflight = server.cors.preflight(request.method, request.headers) { return preflight }
        var response = await server.respond(request)
        server.cors.permit(request.headers["origin"], on: &response)
        return response
    }

    /// Leaves the input at the next request's first byte, or ends the connection so that nothing is misread.
    private func finish(_ body: ConnectionBody?, keepsAlive: Bool) async -> Bool {
        guard !hasFailed else { return false }
        if keepsAlive, let body, await !body.drain(limit: server.limits.drainedBody) {
            return await close()
        }
        body?.detach()
        guard keepsAlive else { return await close() }
        if output.count >= Self.batchSize { return await flush() }
        return true
    }

    private func upgrade(
        _ request: HTTPRequest,
        _ exchange: Exchange,
        _ response: HTTPResponse,
        _ subprotocol: String?,
        _ limits: WebSocketLimits,
        _ handler: (any WebSocketChannel) async -> Void
    ) async -> Bool {
        var exchange = exchange
        do throws(ProblemError) {
            let key = try WebSocketHandshake.key(of: request)
            guard exchange.head.framing == .none else {
                throw ProblemError(
                    Problem(status: 400, code: "malformed_handshake", title: "An upgrade request has no body")
                )
            }
            guard server.cors.permitsWebSocket(from: request.headers["origin"], to: request.authority) else {
                throw ProblemError(
                    Problem(status: 403, code: "origin_forbidden", title: "This origin may not connect")
                )
            }
            let chosen = subprotocol.flatMap { request.offeredSubprotocols.contains($0) ? $0 : nil }
            exchange.switchProtocols(response, accept: WebSocketKey.accept(key), subprotocol: chosen)
        } catch {
            exchange.keepsAlive = false
            await exchange.send(.problem(error.problem))
            return await close()
        }
        guard await flush() else { return false }
        phase = .upgraded
        let channel = WebSocketConnection(
            wire: wire,
            role: .server,
            limits: limits,
            pool: server.pool,
            received: input.take(.max)
        )
        webSocket = channel
        if server.isDraining { channel.goAway() }
        await handler(channel)
        await channel.finish()
        return false
    }

    // MARK: - Writing

    /// Sends all of `output`; false when the client is gone.
    func flush() async -> Bool {
        guard !hasFailed else { return false }
        guard sent < output.count else { return true }
        do throws(TransportError) {
            while sent < output.count {
                switch wire.attemptWrite(output, from: sent) {
                case .wrote(let count): sent += count
                case .failed(let error): throw error
                case .blocked:
                    // Hands the rest to the waiting writer, which times a stalled peer out.
                    let rest = sent == 0 ? output : Array(output[sent...])
                    output = []
                    sent = 0
                    try await wire.write(rest)
                }
            }
        } catch {
            hasFailed = true
            output = []
            sent = 0
            return false
        }
        resetOutput()
        return true
    }

    /// Sends what the socket takes now.
    func flushWithoutWaiting() {
        isFlushQueued = false
        guard !hasFailed, sent < output.count else { return }
        if case .wrote(let count) = wire.attemptWrite(output, from: sent) { sent += count }
        if sent == output.count { resetOutput() }
    }

    private func queueFlush() {
        guard !isFlushQueued else { return }
        isFlushQueued = true
        server.flushLater(self)
    }

    private func resetOutput() {
        sent = 0
        // A big buffer is given back, a small one is kept for the next response of a busy connection.
        if output.capacity > 4_096 { output = [] } else { output.removeAll(keepingCapacity: true) }
    }

    // MARK: - Ending

    private func refuse(_ error: HeadError) async {
        let problem = Problem(
            status: error.status,
            code: "malformed_request",
            title: "The request is not well-formed HTTP/1.1",
            detail: error.reason
        )
        await refuse(problem)
    }

    private func refuseSlowHead() async {
        await refuse(Problem(status: 408, code: "request_timeout", title: "The request came too slowly"))
    }

    private func refuse(_ problem: Problem) async {
        deadline.clear()
        var exchange = Exchange(connection: self, head: RequestHead(), requestID: server.nextRequestID())
        exchange.keepsAlive = false
        await exchange.send(.problem(problem))
        _ = await close()
    }

    /// Sends what is left, then reads and drops for a while: closing with unread bytes would reset the response away.
    private func close() async -> Bool {
        phase = .closing
        guard await flush() else { return false }
        wire.shutdownWrite()
        guard !timedOut else { return false }
        deadline.set(server.limits.lingerTimeout)
        var dropped = 0
        while dropped < server.limits.drainedBody {
            dropped += input.count
            input.consume(input.count)
            guard await readMore() else { break }
        }
        return false
    }
}
