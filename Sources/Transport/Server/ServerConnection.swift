import Bytes
import HTTP
import Platform

/// One connection of a server: it reads heads, calls the handler and writes responses until the end.
///
/// A request that arrives whole and is answered by bytes passes without a suspension but the handler's own; everything
/// slower is in functions of its own. A connection that stays idle is parked: its task ends, and with it the memory
/// that the deepest handler needed; the next event starts another.
final class ServerConnection: DeadlineOwner {
    enum Phase { case opening, idle, parked, readingHead, serving, upgraded, closing }

    /// How a task of the connection ended.
    private enum Outcome { case closed, parked, upgraded }

    /// How long an idle connection keeps its task: a client in a hurry has asked again by then.
    private static let parkingDelay = Duration.seconds(1)

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
        case .idle, .parked: wire.interruptReading()
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
            phase = .parked
            deadline.set(server.limits.idleTimeout)
            return events.wake()
        }
        timedOut = true
        switch phase {
        // A handshake has no reader that could be told.
        case .opening: wire.close()
        // These read what has come and then the end.
        case .idle, .parked, .readingHead: wire.interruptReading()
        // The socket goes on receiving: these still have an answer to send, which a reset would take away.
        case .serving, .closing, .upgraded: events.wake()
        }
    }

    /// Reads at least one byte; false at the end of the stream or of the time, or when parked or cut.
    func readMore() async -> Bool {
        // A connection that was cut gets no more events: whoever wakes its reader means that it is over.
        while phase != .parked, !hasFailed, !wire.isClosed {
            if wire.mustWait, !events.take() {
                if timedOut { return false }
                unsafe await withUnsafeContinuation { unsafe events.suspend($0) }
                budget.restore()
                continue
            }
            switch input.fill(from: wire) {
            case .bytes(let count):
                // They came just in time; but a head's deadline has ended reading for good.
                if phase != .readingHead { timedOut = false }
                if budget.spend(count) { await Task.yield() }
                return true
            case .blocked: continue
            case .end, .failed: return false
            }
        }
        return false
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
        case .parked: output = []
        case .upgraded: break  // the WebSocket's task ends it
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
                    guard await waitForMore() else { return phase == .parked ? .parked : .closed }
                    continue
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

    /// Sends what is ready and waits for bytes; false when the connection is to be closed.
    private func waitForMore() async -> Bool {
        if sent < output.count, !flushAtOnce() {
            guard await flush() else { return false }
        }
        if input.isEmpty {
            phase = .idle
            if server.isDraining { return false }
            deadline.set(Self.parkingDelay)
        } else if phase != .readingHead {
            phase = .readingHead
            deadline.set(server.limits.headTimeout)
        }
        if await readMore() { return true }
        if timedOut, phase == .readingHead { await refuseSlowHead() }
        return false
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
