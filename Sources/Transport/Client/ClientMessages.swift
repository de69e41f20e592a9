package import HTTP

/// The body of a request.
package enum ClientBody {
    /// No body.
    case empty
    /// A whole body; a request with one can be sent again on a fresh connection.
    case bytes([UInt8])
    /// A body asked for piece by piece until nil; chunked when `length` is nil.
    case stream(length: Int?, () async throws -> [UInt8]?)
}

/// A whole answer.
package struct ClientResponse {
    /// The status code.
    package let status: Int
    /// The fields.
    package let headers: HTTPHeaders
    /// The body.
    package let body: [UInt8]
}

/// What a client allows a server to cost.
package struct ClientLimits: Sendable {
    /// The time to connect, including TLS.
    package var connectTimeout = Duration.seconds(10)
    /// The time from the last byte of the request to the first of the answer: a model may think for minutes.
    package var responseTimeout = Duration.seconds(300)
    /// The longest pause inside an answer's body; streams that are quiet longer should send keep-alives.
    package var idleTimeout = Duration.seconds(300)
    /// The largest body that `send` collects.
    package var body = 16 << 20
    /// Idle connections kept for one server, and how long: below the 60 s after which common servers let go.
    package var idlePerHost = 8
    /// How long an idle connection may be used again.
    package var keepAlive = Duration.seconds(50)

    /// The default limits.
    package init() {}
}
