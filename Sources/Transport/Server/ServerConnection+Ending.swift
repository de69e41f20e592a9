import HTTP
import Platform

extension ServerConnection {
    /// Refuses a head; nothing behind it is looked at.
    func refuse(_ error: HeadError) async {
        await refuse(
            Problem(
                status: error.status,
                code: "malformed_request",
                title: "The request is not well-formed HTTP/1.1",
                detail: error.reason
            )
        )
    }

    /// Refuses a head that took too long.
    func refuseSlowHead() async {
        await refuse(Problem(status: 408, code: "request_timeout", title: "The request came too slowly"))
    }

    private func refuse(_ problem: Problem) async {
        deadline.clear()
        var exchange = Exchange(RequestHead(), requestID: server.nextRequestID())
        exchange.keepsAlive = false
        _ = exchange.append(.problem(problem), to: self)
        await finish(&exchange)
    }

    /// Sends what is left, then reads and drops for a while: closing with unread bytes would reset the response away.
    func finish(_ exchange: inout Exchange) async {
        phase = .closing
        exchange.body?.detach()
        guard await flush() else { return }
        wire.shutdownWrite()
        guard !timedOut else { return }
        deadline.set(server.limits.lingerTimeout)
        var dropped = 0
        while dropped < server.limits.drainedBody {
            dropped += input.count
            input.consume(input.count)
            guard await readMore() else { return }
        }
    }

    /// Turns the connection into a WebSocket, whose handler runs in a task of its own: this one's memory is not needed.
    func upgrade(
        _ request: HTTPRequest,
        _ exchange: inout Exchange,
        _ response: HTTPResponse,
        _ subprotocol: String?,
        _ limits: WebSocketLimits,
        _ handler: @escaping (any WebSocketChannel) async -> Void
    ) async {
        do throws(ProblemError) {
            let key = try WebSocketHandshake.key(of: request)
            guard exchange.body == nil, exchange.head.wantsUpgrade else {
                throw ProblemError(
                    Problem(status: 400, code: "malformed_handshake", title: "An upgrade is HTTP/1.1 without a body")
                )
            }
            guard server.cors.permitsWebSocket(from: request.headers["origin"], to: request.authority) else {
                throw ProblemError(
                    Problem(status: 403, code: "origin_forbidden", title: "This origin may not connect")
                )
            }
            let chosen = subprotocol.flatMap { request.offeredSubprotocols.contains($0) ? $0 : nil }
            exchange.switchProtocols(response, accept: WebSocketKey.accept(key), subprotocol: chosen, on: self)
        } catch {
            exchange.keepsAlive = false
            _ = exchange.append(.problem(error.problem), to: self)
            return await finish(&exchange)
        }
        guard await flush() else { return }
        phase = .upgraded
        let channel = WebSocketConnection(
            wire: wire,
            role: .server,
            limits: limits,
            pool: server.pool,
            received: input.take(.max)
        )
        webSocket = channel
        output = []
        if server.isDraining { channel.goAway() }
        wire.loop.spawnLocal { [self] in
            await handler(channel)
            await channel.finish()
            webSocket = nil
            end()
        }
    }
}
