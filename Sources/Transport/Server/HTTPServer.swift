import Bytes
import Glibc
package import HTTP
package import Platform

/// Serves HTTP/1.1 and WebSocket on one listener of one loop.
package final class HTTPServer {
    /// Told of what concerns no request: a failed accept, a failed handshake, a handler that broke a rule.
    package var onFault: (_ description: String) -> Void = { _ in }

    let loop: EventLoop
    let limits: ServerLimits
    let trustedProxies: TrustedProxies
    let cors: CORSPolicy
    let respond: (HTTPRequest) async -> HTTPResponse
    let pool = BufferPool()
    let emptyBody = InMemoryBody()
    let flushQueue = FlushQueue()
    private(set) var isDraining = false

    private let listener: ListeningSocket
    private let tls: TLSServerContext?
    private let counter: ConnectionCounter
    private var requestIDs = RequestIDs()
    private var commonFields: CommonFields
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private let connectionEnded = LoopCondition()

    /// Makes a server, on its loop; nothing is accepted before `run`.
    package init(
        loop: EventLoop,
        listener: ListeningSocket,
        tls: TLSServerContext?,
        limits: ServerLimits = ServerLimits(),
        trustedProxies: TrustedProxies = .none,
        cors: CORSPolicy = .none,
        connectionCounter: ConnectionCounter,
        respond: @escaping (HTTPRequest) async -> HTTPResponse
    ) {
        self.loop = loop
        self.listener = listener
        self.tls = tls
        self.limits = limits
        self.trustedProxies = trustedProxies
        self.cors = cors
        counter = connectionCounter
        self.respond = respond
        commonFields = CommonFields(isSecure: tls != nil)
        loop.onTick { [weak flushQueue] in flushQueue?.flush() != nil }
    }

    /// The address that clients connect to.
    package var address: SocketAddress { listener.address }

    /// The number of connections of this server now.
    package var connectionCount: Int { connections.count }

    /// Accepts connections until the listener is closed, by `drain` or otherwise.
    package func run() async {
        while true {
            do throws(PlatformError) {
                let (raw, peer) = try await listener.accept()
                admit(OwnedDescriptor(raw), peer)
            } catch {
                if isDraining || error.errno == ECANCELED { return }
                onFault("accept: \(error)")
                await loop.sleep(.milliseconds(100))
            }
        }
    }

    /// Stops accepting, lets accepted requests finish, closes WebSockets with 1001; at the deadline cuts what is left.
    package func drain(deadline: Duration) async {
        isDraining = true
        listener.close()
        for connection in connections.values { connection.drain() }
        let end = loop.now.advanced(by: deadline)
        while !connections.isEmpty, loop.now < end {
            _ = await connectionEnded.wait(timeout: end - loop.now, on: loop)
        }
        for connection in connections.values { connection.abort() }
        while !connections.isEmpty { await connectionEnded.wait() }
    }

    func remove(_ connection: ServerConnection, peer: SocketAddress?) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        counter.release(peer)
        connectionEnded.signalAll()
    }

    func nextRequestID() -> String { requestIDs.next() }

    func commonLines(allowsStore: Bool) -> [UInt8] {
        commonFields.lines(at: WallClock.now(), allowsStore: allowsStore)
    }

    /// Calls the handler, or answers a preflight in its place.
    func answer(_ request: HTTPRequest) async -> HTTPResponse {
        guard !cors.isEmpty else { return await respond(request) }
        if let preflight = cors.preflight(request.method, request.headers) { return preflight }
        var response = await respond(request)
        cors.permit(request.headers["origin"], on: &response)
        return response
    }

    private func admit(_ descriptor: consuming OwnedDescriptor, _ peer: SocketAddress?) {
        guard counter.admit(peer, isTrustedProxy: trustedProxies.contains(peer)) else {
            return turnAway(descriptor)
        }
        do throws(TransportError) {
            let wire: any Wire
            if let tls {
                wire = try TLSStream(server: tls, loop: loop, descriptor: descriptor)
            } else {
                wire = try PlainStream(loop: loop, descriptor: descriptor)
            }
            let connection = ServerConnection(wire: wire, server: self, peer: peer)
            connections[ObjectIdentifier(connection)] = connection
            loop.spawnLocal { await connection.start() }
        } catch {
            counter.release(peer)
            onFault("connection: \(error)")
        }
    }

    /// Answers 503 and closes; under TLS it only closes, for a handshake is what a flood wants us to do.
    private func turnAway(_ descriptor: consuming OwnedDescriptor) {
        guard tls == nil, let wire = try? PlainStream(loop: loop, descriptor: descriptor) else { return }
        let requestID = nextRequestID()
        let problem = Problem(
            status: 503,
            code: "too_many_connections",
            title: "There are too many connections",
            retryAfter: 1
        )
        let response = HTTPResponse.problem(problem).rendered(requestID: requestID)
        var output: [UInt8] = []
        guard case .bytes(let body) = response.body else { return }
        MessageWriter.appendResponseHead(
            status: response.status,
            headers: response.headers,
            framing: .length(body.count),
            closes: true,
            common: commonLines(allowsStore: false),
            requestID: requestID,
            to: &output
        )
        output.append(contentsOf: body)
        _ = wire.attemptWrite(output, from: 0)
        wire.shutdownWrite()
        wire.close()
    }
}
