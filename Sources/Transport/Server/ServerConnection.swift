import Bytes
import HTTP
import Platform

/// One connection of a server: it reads heads, calls the handler and writes responses until the end.
///
/// A request that arrives whole and is answered by bytes passes without a suspension but the handler's own; everything
/// slower is in functions of its own. A connection that stays idle is parked: its task ends, and with it the memory
/// that the deepest handler needed; the next event starts another.
final class ServerConnection: DeadlineOwner {
    /// `parking` is asked of a task that waits; it is `parked` when it has found nothing to read and goes.
    enum Phase { case opening, idle, parking, parked, readingHead, serving, upgraded, closing }

    /// How a task of the connection ended.
    private enum Outcome { case closed, parked, upgraded }

    /// What a wait for input ended with.
    private enum Arrival { case bytes, end, parked }

    let wire: any Wire
    let server: HTTPServer
    let peer: SocketAddress?
    let peerHost: String
    let peerIsProxy: Bool
    var phase = Phase.opening
    var input: ConnectionInput
    /// Responses, or parts of one, that have not been sent.
    var output: [UInt8] = []
    /// How much of `output` has been sent already.
    var sent = 0
    /// How much has been sent in all.
    var bytesSent = 0
    /// Attempts to send, those that were not taken too.
    var writes: UInt64 = 0
    var isFlushQueued = false
    var hasFailed = false
    var timedOut = false
    var webSocket: WebSocketConnection?
    var streamWriter: StreamWriter?
    var budget = TurnBudget()
    private var events = ReadEvents()
    private(set) lazy var deadline = ConnectionDeadline(loop: wire.loop, owner: self)

    private var parser: RequestHeadParser

    init(wire: any Wire, server: HTTPServer, peer: SocketAddress?) {
        self.wire = wire
        self.server = server
        self.peer = peer
        peerHost = peer?.host ?? ""
        peerIsProxy = server.trustedProxies.contains(peer)
        input = ConnectionInput(pool: server.pool)
        parser = RequestHeadParser(limits: server.limits.head)
    }

    /// Performs the handshake and serves until the connection is closed or parked.
    func start() async {
        guard await open() else { return end() }
        // Unowned: the server keeps the connection, and closing the wire takes the callback away.
        wire.source.onEvents = { [unowned self] in note($0) }
        await serve()
    }

    /// Ends the connection when it is idle; otherwise its response says `connection: close`.
    func drain() {
        switch phase {
        case .idle, .parking, .parked: wire.interruptReading()
        case .upgraded: webSocket?.goAway()
        case .opening, .readingHead, .serving, .closing: break
        }
    }

    /// Cuts the connection.
    func abort() {
        hasFailed = true
        webSocket?.abort()
        wire.close()
        events.wake()
        if phase == .parked { end() }
    }

    func deadlinePassed() {
        if phase == .idle, !server.isDraining {
            phase = .parking
            deadline.set(server.limits.idleTimeout)
            return events.wake()
        }
        timedOut = true
        switch phase {
        // A handshake has no reader that could be told.
        case .opening: wire.close()
        // These read what has come and then the end.
        case .idle, .parking, .parked, .readingHead: wire.interruptReading()
        // The socket goes on receiving: these still have an answer to send, which a reset would take away.
        case .serving, .closing, .upgraded: events.wake()
        }
    }

    /// Reads at least one byte; false at the end of the stream or of the time, or when cut.
    func readMore() async -> Bool { await awaitInput() == .bytes }

    private func awaitInput() async -> Arrival {
        // A connection that was cut gets no more events: whoever wakes its reader means that it is over.
        while !hasFailed, !wire.isClosed {
            if wire.mustWait, !events.take() {
                if timedOut { return .end }
                // Only with nothing left to read: bytes may have come in the very turn that asked to park.
                if phase == .parking { return park() }
                unsafe await withUnsafeContinuation { unsafe events.suspend($0) }
                budget.restore()
                continue
            }
            switch input.fill(from: wire) {
            case .bytes(let count):
                // They came just in time; but a head's deadline has ended reading for good.
                if phase != .readingHead { timedOut = false }
                if phase == .parking { phase = .idle }
                if budget.spend(count) { await Task.yield() }
                return .bytes
            case .blocked: continue
            case .end, .failed: return .end
            }
        }
        return .end
    }

    /// From here on the next event starts another task; this one must touch nothing any more.
    private func park() -> Arrival {
        phase = .parked
        output = []
        return .parked
    }

    private func note(_ flags: UInt32) {
        if events.note(flags, anyCounts: wire.readWantsWrite) { streamWriter?.noteDisconnect() }
        guard phase == .parked else { return events.wake() }
        phase = .idle
        wire.loop.spawnLocal { [self] in await serve() }
    }

    private func open() async -> Bool {
        deadline.set(server.limits.headTimeout)
        do throws(TransportError) {
            try await wire.open()
            return true
        } catch {
            server.onFault("handshake with \(peerHost): \(error)")
            return false
        }
    }

    private func serve() async {
        switch await serveAll() {
        case .closed: end()
        case .parked, .upgraded: break  // the next event, or the WebSocket's task, goes on
        }
    }

    func end() {
        deadline.cancel()
        wire.close()
        server.remove(self, peer: peer)
    }

    private func serveAll() async -> Outcome {
        phase = .idle
        while true {
            do throws(HeadError) {
                guard let length = try parseHead() else {
                    switch await waitForMore() {
                    case .bytes: continue
                    case .parked: return .parked
                    case .end: return .closed
                    }
                }
                phase = .serving
                deadline.clear()
                var exchange = Exchange(parser.head, requestID: server.nextRequestID())
                guard let request = makeRequest(&exchange, length) else {
                    await finish(&exchange)
                    return .closed
                }
                if sent < output.count { queueFlush() }
                let response = await server.answer(request)
                if !exchange.append(response, to: self) {
                    guard await sendSlowly(response, request, &exchange) else {
                        return phase == .upgraded ? .upgraded : .closed
                    }
                }
                phase = .idle
                if output.count >= Self.batchSize, !(await flush()) { return .closed }
            } catch {
                await refuse(error)
                return .closed
            }
        }
    }

    private func parseHead() throws(HeadError) -> Int? {
        guard !input.isEmpty else { return nil }
        return try input.withBytes { (bytes) throws(HeadError) in try parser.parse(bytes) }
    }

    /// Sends what is ready and waits for bytes; at the `end` the connection is to be closed.
    private func waitForMore() async -> Arrival {
        if sent < output.count, !flushAtOnce() {
            guard await flush() else { return .end }
        }
        if input.isEmpty {
            phase = .idle
            if server.isDraining { return .end }
            deadline.set(server.limits.parkingDelay)
        } else if phase != .readingHead {
            phase = .readingHead
            deadline.set(server.limits.headTimeout)
        }
        let arrival = await awaitInput()
        if arrival == .end, timedOut, phase == .readingHead { await refuseSlowHead() }
        return arrival
    }

    /// Takes the head that was parsed out of the input; nil when the target cannot be decoded, and that is answered.
    private func makeRequest(_ exchange: inout Exchange, _ length: Int) -> HTTPRequest? {
        let head = exchange.head
        let (headers, target, authority) = input.withBytes { bytes in
            (
                head.headers(from: bytes, length: length), head.originText(from: bytes),
                head.authorityText(from: bytes)
            )
        }
        parser.reset()
        input.consume(length)
        var client = (host: peerHost, isSecure: wire.isSecure)
        if peerIsProxy {
            client = server.trustedProxies.client(behind: peer, isSecure: wire.isSecure, headers: headers)
        }
        if head.framing != .none { exchange.body = ConnectionBody(connection: self, head: head) }
        if server.isDraining { exchange.keepsAlive = false }
        do throws(ProblemError) {
            let request = try HTTPRequest(
                method: head.method,
                target: target,
                headers: headers,
                body: exchange.body ?? server.emptyBody,
                remoteAddress: client.host,
                isSecure: client.isSecure,
                requestID: exchange.requestID,
                authority: authority
            )
            request.allowsUpgrade = head.wantsUpgrade && exchange.body == nil
            return request
        } catch {
            exchange.keepsAlive = false
            _ = exchange.append(.problem(error.problem), to: self)
            return nil
        }
    }
}
