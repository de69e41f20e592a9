/// Why a message head is refused; the status says what the client is told.
package struct HeadError: Error, Hashable, Sendable {
    /// The status of the answer.
    package let status: Int
    /// The reason, one fixed phrase for each rule.
    package let reason: String

    private init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    static let malformedRequestLine = HeadError(400, "malformed request line")
    static let malformedStatusLine = HeadError(400, "malformed status line")
    static let malformedTarget = HeadError(400, "malformed request target")
    static let targetTooLong = HeadError(414, "request target too long")
    static let unknownMethod = HeadError(501, "unknown method")
    static let unsupportedVersion = HeadError(505, "unsupported protocol version")
    static let bareLineFeed = HeadError(400, "line feed without carriage return")
    static let bareCarriageReturn = HeadError(400, "carriage return without line feed")
    static let controlCharacter = HeadError(400, "control character")
    static let foldedLine = HeadError(400, "folded field line")
    static let malformedFieldName = HeadError(400, "malformed field name")
    static let tooManyFields = HeadError(431, "too many fields")
    static let headTooLarge = HeadError(431, "head too large")
    static let missingHost = HeadError(400, "missing host")
    static let repeatedHost = HeadError(400, "repeated host")
    static let malformedHost = HeadError(400, "malformed host")
    static let malformedConnection = HeadError(400, "malformed connection field")
    static let malformedContentLength = HeadError(400, "malformed content-length")
    static let repeatedContentLength = HeadError(400, "repeated content-length")
    static let repeatedTransferEncoding = HeadError(400, "repeated transfer-encoding")
    static let unknownTransferEncoding = HeadError(501, "unknown transfer-encoding")
    static let transferEncodingInOldVersion = HeadError(400, "transfer-encoding in HTTP/1.0")
    static let conflictingFraming = HeadError(400, "content-length together with transfer-encoding")
    static let unknownExpectation = HeadError(417, "unknown expectation")
}

/// What a message head may use.
package struct HeadLimits: Sendable {
    /// The whole head with its empty line: one input buffer, which is also one TLS record.
    package var head = 16_384
    /// Field lines; browsers send about 20, proxies add a few.
    package var fields = 64
    /// The request target; far above any of our own, so that a long query is told from an attack.
    package var target = 8_192
    /// Whether CONNECT and its authority form are understood; only a proxy wants that.
    package var allowsConnect = false

    /// The default limits.
    package init() {}
}

/// How the end of a body is found.
package enum BodyFraming: Hashable, Sendable {
    /// There is no body.
    case none
    /// So many bytes.
    case length(Int)
    /// Chunked coding.
    case chunked
    /// Until the connection closes; responses only.
    case untilClose
}
