/// What a handler answers.
package struct HTTPResponse {
    /// The status code, 200 to 599.
    package var status: Int
    /// The header fields; framing, date and security fields are added by the transport.
    package var headers: HTTPHeaders
    /// The body.
    package var body: ResponseBody
    /// The problem that the body tells of, when the answer is one.
    package private(set) var problem: Problem?

    /// Makes a response.
    package init(status: Int, headers: HTTPHeaders = HTTPHeaders(), body: ResponseBody = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON document that is already encoded.
    package static func json(_ status: Int, _ bytes: [UInt8]) -> HTTPResponse {
        var response = HTTPResponse(status: status, body: .bytes(bytes))
        response.headers.append(name: "content-type", value: "application/json")
        return response
    }

    /// Status 204.
    package static var noContent: HTTPResponse { HTTPResponse(status: 204) }

    /// A problem document; it is encoded when the request's identifier is known.
    package static func problem(_ problem: Problem) -> HTTPResponse {
        var response = HTTPResponse(status: problem.status)
        response.problem = problem
        response.headers.append(name: "content-type", value: "application/problem+json")
        if let seconds = problem.retryAfter { response.headers.append(name: "retry-after", value: String(seconds)) }
        for (name, value) in problem.headers { response.headers.append(name: name, value: value) }
        return response
    }

    /// The same response with its problem, if it has one, encoded as the body.
    package func rendered(requestID: String) -> HTTPResponse {
        guard let problem, case .empty = body else { return self }
        var response = self
        response.body = .bytes(problem.encoded(requestID: requestID))
        return response
    }
}

/// The body of a response.
package enum ResponseBody {
    /// No body.
    case empty
    /// A whole body.
    case bytes([UInt8])
    /// A body written piece by piece; chunked when `length` is nil.
    case stream(length: Int?, (any ResponseBodyWriter) async throws -> Void)
    /// A WebSocket that the closure owns until it returns.
    case webSocket(subprotocol: String?, limits: WebSocketLimits, (any WebSocketChannel) async -> Void)
}

/// The peer is gone; nothing more can be written or read.
package struct DisconnectedError: Error, Sendable, CustomStringConvertible {
    /// What was noticed, for logs.
    package let reason: String

    /// Makes the error with what was noticed.
    package init(_ reason: String) {
        self.reason = reason
    }

    /// The error for logs.
    package var description: String { "disconnected: \(reason)" }
}

/// Where a streaming handler writes; a slow reader slows the writer down.
package protocol ResponseBodyWriter: AnyObject {
    /// Sends bytes, and returns when the connection can take more.
    func write(_ bytes: [UInt8]) async throws(DisconnectedError)

    /// False once the client has gone.
    var isOpen: Bool { get }

    /// Called once when the client goes away while the handler waits for something else than a write.
    var onDisconnect: (() -> Void)? { get set }
}

extension ResponseBodyWriter {
    /// Never called: for writers without a client, as in tests.
    package var onDisconnect: (() -> Void)? {
        get { nil }
        set { _ = newValue }
    }
}
