/// The status lines of the codes that we send, ready for the wire.
enum StatusLine {
    private static let reasons: [Int: String] = [
        100: "Continue", 101: "Switching Protocols", 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content",
        206: "Partial Content", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
        307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
        403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout",
        409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large",
        414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable", 417: "Expectation Failed",
        422: "Unprocessable Content", 423: "Locked", 425: "Too Early", 426: "Upgrade Required",
        428: "Precondition Required", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
        500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
        504: "Gateway Timeout", 505: "HTTP Version Not Supported", 507: "Insufficient Storage",
    ]

    private static let lines: [[UInt8]] = (100..<600).map { status in
        Array("HTTP/1.1 \(status) \(reasons[status] ?? "")\r\n".utf8)
    }

    /// Appends the line of `status`, which must be 100 to 599.
    static func append(_ status: Int, to output: inout [UInt8]) {
        precondition((100..<600).contains(status), "\(status) is no HTTP status")
        output.append(contentsOf: lines[status - 100])
    }

    /// The reason phrase, for titles.
    static func reason(_ status: Int) -> String { reasons[status] ?? "" }
}
