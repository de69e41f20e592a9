import HTTP
import Platform

/// Where a response began in the output, to take it back while nothing of it has left.
private struct StreamMark {
    let length: Int
    let writes: UInt64

    init(_ connection: ServerConnection) {
        length = connection.output.count
        writes = connection.writes
    }

    func rewind(_ connection: ServerConnection) -> Bool {
        // Also a write that the socket did not take counts: TLS has made a record of those bytes.
        guard connection.writes == writes, !connection.hasFailed else { return false }
        connection.output.removeLast(connection.output.count - length)
        return true
    }
}

/// One request's way out: it decides the framing and writes the response.
struct Exchange {
    /// How long a stream's head waits for its first bytes: a query that fails has failed by then, and nobody notices.
    private static let headHold = Duration.milliseconds(100)

    let head: RequestHead
    let requestID: String
    var keepsAlive: Bool
    var body: ConnectionBody?

    init(_ head: RequestHead, requestID: String) {
        self.head = head
        self.requestID = requestID
        keepsAlive = head.keepsAlive
    }

    /// Appends a response to the output; false when more is to be done for it: a stream, an upgrade, an unread body.
    mutating func append(_ response: HTTPResponse, to connection: ServerConnection) -> Bool {
        if connection.server.isDraining { keepsAlive = false }
        if !response.body.isProduced, let body, !body.canBeDrained(limit: connection.server.limits.drainedBody) {
            // A body that will not be drained is followed by nothing, and the client should know.
            keepsAlive = false
        }
        let response = response.rendered(requestID: requestID)
        // These have no body by definition, nor a length.
        let isBodiless = response.status == 204 || response.status == 304
        switch response.body {
        case .empty: appendHead(response, isBodiless ? .none : .length(0), on: connection)
        case .bytes(let bytes):
            appendHead(response, isBodiless ? .none : .length(bytes.count), on: connection)
            if head.method != .head, !isBodiless { connection.output.append(contentsOf: bytes) }
        case .stream, .webSocket: return false
        }
        return keepsAlive && body == nil
    }

    /// Writes a response whose body a closure produces.
    mutating func stream(
        _ response: HTTPResponse,
        _ length: Int?,
        _ produce: (any ResponseBodyWriter) async throws -> Void,
        to connection: ServerConnection
    ) async {
        let isBodiless = response.status == 204 || response.status == 304
        let framing: BodyFraming
        if isBodiless {
            framing = .none
        } else if let length {
            framing = .length(length)
        } else if head.method == .head {
            framing = .none
        } else if head.minorVersion == 0 {
            framing = .untilClose
            keepsAlive = false
        } else {
            framing = .chunked
        }
        let mark = StreamMark(connection)
        appendHead(response, framing, on: connection)
        guard head.method != .head, !isBodiless else { return }
        // The head waits a moment for the first bytes, so that a source that fails at once can still be told of.
        let hold = connection.wire.loop.schedule(after: Self.headHold) { [weak connection] in
            connection?.flushWithoutWaiting()
        }
        defer { hold.cancel() }
        let writer = StreamWriter(connection: connection, framing: framing)
        do {
            try await produce(writer)
            try await writer.finish()
        } catch {
            if !(error is DisconnectedError || error is ProblemError) {
                connection.server.onFault("response stream of \(requestID): \(error)")
            }
            if !(error is DisconnectedError), mark.rewind(connection) {
                // Nothing has left yet, so the client can still be told.
                _ = append(.problem((error as? ProblemError)?.problem ?? .internalError), to: connection)
            } else {
                // The client must notice that the body is cut: no last chunk, no further response.
                writer.fail()
                keepsAlive = false
            }
        }
        writer.detach()
    }

    /// Writes the head that turns the connection into a WebSocket.
    func switchProtocols(
        _ response: HTTPResponse,
        accept: String,
        subprotocol: String?,
        on connection: ServerConnection
    ) {
        var response = response
        response.status = 101
        response.headers.set(name: "upgrade", value: "websocket")
        response.headers.set(name: "connection", value: "upgrade")
        response.headers.set(name: "sec-websocket-accept", value: accept)
        if let subprotocol { response.headers.set(name: "sec-websocket-protocol", value: subprotocol) }
        appendHead(response, .none, closes: false, on: connection)
    }

    private func appendHead(
        _ response: HTTPResponse,
        _ framing: BodyFraming,
        closes: Bool? = nil,
        on connection: ServerConnection
    ) {
        var response = response
        // An old client takes silence for a close.
        if head.minorVersion == 0, keepsAlive { response.headers.set(name: "connection", value: "keep-alive") }
        MessageWriter.appendResponseHead(
            status: response.status,
            headers: response.headers,
            framing: framing,
            closes: closes ?? !keepsAlive,
            common: connection.server.commonLines(allowsStore: response.headers.contains("cache-control")),
            requestID: requestID,
            to: &connection.output
        )
    }
}

extension ResponseBody {
    /// Whether a handler goes on after the head, and may then read the request's body.
    fileprivate var isProduced: Bool {
        switch self {
        case .empty, .bytes: false
        case .stream, .webSocket: true
        }
    }
}
