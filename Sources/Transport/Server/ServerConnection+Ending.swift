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

    /// Sends what is left and ends our half, then lingers.
    func finish(_ exchange: inout Exchange) async {
        phase = .closing
        exchange.body?.detach()
        guard await flush() else { return }
        wire.shutdownWrite()
        await linger()
    }

    /// Reads and drops what still comes, within bounds: closing before the client has stopped sending would answer its
    /// next bytes with a reset, and that takes our answer away from a client which reads after it has written.
    private func linger() async {
        timedOut = false
        let (limits, began) = (server.limits, wire.loop.now)
        var dropped = 0
        while true {
            dropped += input.count
            input.consume(input.count)
            let left = (server.isDraining ? limits.lingerTimeout : limits.lingerTime) - (wire.loop.now - began)
            guard left > .zero, dropped < limits.lingeredBody else { return }
            deadline.set(min(left, limits.lingerTimeout))
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
