/// Why a request got no usable answer; the stage says how far it came.
package enum HTTPClientError: Error, CustomStringConvertible {
    /// The name has no address, or none of them answers.
    case unreachable(String)
    /// The connection failed before the first byte of the answer.
    case connection(TransportError)
    /// The answer broke the protocol.
    case malformedResponse(String)
    /// The answer's body ended early or is broken.
    case brokenBody(String)
    /// The answer's body is longer than allowed.
    case bodyTooLarge
    /// Nothing came for too long.
    case timeout
    /// The server did not open the WebSocket; its answer says why.
    case refusedUpgrade(status: Int, reason: String, body: [UInt8])
    /// TLS is asked for and the client has no trust to check it with.
    case noTrust
    /// The producer of the request's body failed.
    case uploadFailed(any Error)
    /// A header field cannot be sent.
    case invalidHeader(String)

    /// The error for logs and people.
    package var description: String {
        switch self {
        case .unreachable(let reason): "the server cannot be reached: \(reason)"
        case .connection(let error): "the connection failed: \(error)"
        case .malformedResponse(let reason): "the answer is malformed: \(reason)"
        case .brokenBody(let reason): "the answer's body is broken: \(reason)"
        case .bodyTooLarge: "the answer's body is too large"
        case .timeout: "the server does not answer in time"
        case .refusedUpgrade(let status, let reason, _): "the server refused the WebSocket with \(status): \(reason)"
        case .noTrust: "https needs certificate authorities to trust"
        case .uploadFailed(let error): "the request's body could not be produced: \(error)"
        case .invalidHeader(let name): "the header field \(name) cannot be sent"
        }
    }
}
