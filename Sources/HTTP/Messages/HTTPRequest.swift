/// One request as a handler sees it; it stays on the loop that parsed it.
package final class HTTPRequest {
    /// The request's method.
    package let method: HTTPMethod
    /// The path as it stands on the wire, without the query, never decoded.
    package let path: String
    /// The query's pairs, strictly decoded, in order.
    package let query: [(String, String)]
    /// The header fields.
    package let headers: HTTPHeaders
    /// The values of the placeholders in the route's pattern, set by the router.
    package var parameters: [String: String] = [:]
    /// The client's numeric address, seen through trusted proxies only.
    package let remoteAddress: String
    /// Whether the client speaks TLS, to us or to a trusted proxy.
    package let isSecure: Bool
    /// The identifier that the answer carries as `x-request-id`.
    package let requestID: String
    /// The authority asked for: the target's in absolute form, else the Host field.
    package let authority: String
    /// The body, to be read at most once.
    package let body: any RequestBody
    /// Whether the connection can become a WebSocket: HTTP/1.1 with an upgrade asked for, and no body.
    package var allowsUpgrade = true
    /// What whoever answers keeps with the request while it is answered.
    package var companion: AnyObject?

    private let rawQuery: String?

    /// Makes a request from a target in origin form (`/path?query`); refuses one that cannot be decoded strictly.
    package init(
        method: HTTPMethod,
        target: String,
        headers: HTTPHeaders = HTTPHeaders(),
        body: any RequestBody = InMemoryBody(),
        remoteAddress: String = "127.0.0.1",
        isSecure: Bool = false,
        requestID: String = "req_local",
        authority: String? = nil
    ) throws(ProblemError) {
        if let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) {
            path = String(target[..<mark])
            let text = target[target.utf8.index(after: mark)...]
            guard let pairs = PercentEncoding.decodeQuery(text) else {
                throw ProblemError(.malformedTarget("the query is not valid percent-encoded UTF-8"))
            }
            query = pairs
            rawQuery = String(text)
        } else {
            path = target
            query = []
            rawQuery = nil
        }
        self.method = method
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
        self.isSecure = isSecure
        self.requestID = requestID
        self.authority = authority ?? headers["host"] ?? ""
    }

    /// Path and query as they stand on the wire.
    package var target: String {
        rawQuery.map { path + "?" + $0 } ?? path
    }

    /// The path's segments, decoded; nil when a segment is not valid percent-encoded UTF-8 or holds a NUL.
    package var decodedSegments: [String]? {
        PercentEncoding.decodeSegments(path)
    }

    /// The path's segments, decoded; empty when the path cannot be decoded.
    package var segments: [String] {
        decodedSegments ?? []
    }

    /// The first query value of that name.
    package func queryValue(_ name: String) -> String? {
        query.first { $0.0 == name }?.1
    }

    /// The sub-protocols that a WebSocket client offers, in its order of preference.
    package var offeredSubprotocols: [String] {
        headers.list(of: "sec-websocket-protocol")
    }
}
