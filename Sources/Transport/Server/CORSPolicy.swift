import HTTP

/// Which web origins may call the API from a browser; all others get no permission and cannot open a WebSocket.
package struct CORSPolicy: Sendable {
    private let origins: Set<String>
    /// How long a browser may remember a preflight: the longest that Chromium honours.
    private static let maximumAge = "7200"

    /// No foreign origin may.
    package static let none = CORSPolicy(origins: [])

    /// Allows exactly these origins, like `https://app.example.com`; no patterns, and `null` never.
    package init(origins: [String]) {
        self.origins = Set(origins.filter { $0 != "null" && $0 != "*" })
    }

    /// Whether no foreign origin may call.
    var isEmpty: Bool { origins.isEmpty }

    /// The answer to a preflight, or nil when the request is none.
    func preflight(_ method: HTTPMethod, _ headers: HTTPHeaders) -> HTTPResponse? {
        guard method == .options, let origin = headers["origin"], headers.contains("access-control-request-method")
        else { return nil }
        var response = HTTPResponse.noContent
        response.headers.append(name: "vary", value: "origin")
        guard origins.contains(origin) else { return response }
        response.headers.append(name: "access-control-allow-origin", value: origin)
        response.headers.append(name: "access-control-allow-methods", value: "GET, POST, PUT, PATCH, DELETE")
        response.headers.append(
            name: "access-control-allow-headers",
            value: "authorization, content-type, idempotency-key, last-event-id, if-match, range"
        )
        response.headers.append(name: "access-control-max-age", value: Self.maximumAge)
        return response
    }

    /// Adds the permission to a response when the request's origin has it.
    func permit(_ origin: String?, on response: inout HTTPResponse) {
        guard let origin else { return }
        response.headers.append(name: "vary", value: "origin")
        guard origins.contains(origin) else { return }
        response.headers.append(name: "access-control-allow-origin", value: origin)
        response.headers.append(
            name: "access-control-expose-headers",
            value: "x-request-id, retry-after, ratelimit, ratelimit-policy, location, etag, content-range"
        )
    }

    /// Whether a page of `origin` may open a WebSocket here; browsers ask nobody else, so we must.
    func permitsWebSocket(from origin: String?, to authority: String) -> Bool {
        guard let origin else { return true }
        if origins.contains(origin) { return true }
        let lowered = origin.lowercased()
        let host = authority.lowercased()
        return lowered == "https://" + host || lowered == "http://" + host
    }
}
