import HTTP

/// One request's way out: it decides the framing and writes the response.
struct Exchange {
    let connection: ServerConnection
    let head: RequestHead
    let requestID: String
    var keepsAlive: Bool

    init(connection: ServerConnection, head: RequestHead, requestID: String) {
        self.connection = connection
        self.head = head
        self.requestID = requestID
        keepsAlive = head.keepsAlive
    }

    /// Writes a response; afterwards `keepsAlive` says whether another may follow.
    mutating func send(_ response: HTTPResponse) async {
        let response = response.rendered(requestID: requestID)
        // These have no body by definition, nor a length.
        let isBodiless = response.status == 204 || response.status == 304
        switch response.body {
        case .empty, .webSocket: appendHead(response, framing: isBodiless ? .none : .length(0))
        case .bytes(let bytes): await send(response, bytes, isBodiless: isBodiless)
        case .stream(let length, let produce):
            await stream(response, isBodiless ? 0 : length, isBodiless: isBodiless, produce)
        }
    }

    /// Writes the head that turns the connection into a WebSocket.
    func switchProtocols(_ response: HTTPResponse, accept: String, subprotocol: String?) {
        var response = response
        response.status = 101
        response.headers.set(name: "upgrade", value: "websocket")
        response.headers.set(name: "connection", value: "upgrade")
        response.headers.set(name: "sec-websocket-accept", value: accept)
        if let subprotocol { response.headers.set(name: "sec-websocket-protocol", value: subprotocol) }
        appendHead(response, framing: .none, closes: false)
    }

    private func send(_ response: HTTPResponse, _ bytes: [UInt8], isBodiless: Bool) async {
        appendHead(response, framing: isBodiless ? .none : .length(bytes.count))
        guard head.method != .head, !isBodiless else { return }
        connection.output.append(contentsOf: bytes)
    }

    private mutating func stream(
        _ response: HTTPResponse,
        _ length: Int?,
        isBodiless: Bool,
        _ produce: (any ResponseBodyWriter) async throws -> Void
    ) async {
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
        appendHead(response, framing: framing)
        guard head.method != .head, !isBodiless else { return }
        let writer = StreamWriter(connection: connection, framing: framing)
        do {
            try await produce(writer)
            try await writer.finish()
        } catch {
            // The client must notice that the body is cut: no last chunk, no further response.
            writer.fail()
            keepsAlive = false
            if !(error is DisconnectedError) {
                connection.server.onFault("response stream of \(requestID): \(error)")
            }
        }
        writer.detach()
    }

    private func appendHead(_ response: HTTPResponse, framing: BodyFraming, closes: Bool? = nil) {
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
