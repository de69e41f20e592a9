/// A request method, compared as a whole and case-sensitively as RFC 9110 demands.
package struct HTTPMethod: RawRepresentable, Hashable, Sendable {
    /// The method as it stands on the wire.
    package let rawValue: String

    /// Wraps a method name; the parser has already checked that it is a token.
    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// Reads a resource.
    package static let get = HTTPMethod(rawValue: "GET")
    /// Reads a resource's head only.
    package static let head = HTTPMethod(rawValue: "HEAD")
    /// Creates, or runs an operation.
    package static let post = HTTPMethod(rawValue: "POST")
    /// Replaces a resource.
    package static let put = HTTPMethod(rawValue: "PUT")
    /// Changes parts of a resource.
    package static let patch = HTTPMethod(rawValue: "PATCH")
    /// Removes a resource.
    package static let delete = HTTPMethod(rawValue: "DELETE")
    /// Asks what a resource allows.
    package static let options = HTTPMethod(rawValue: "OPTIONS")
    /// Asks for an echo of the request; refused everywhere, because it would show headers to scripts.
    package static let trace = HTTPMethod(rawValue: "TRACE")
    /// Reads with a body that says what; no operation needs it.
    package static let query = HTTPMethod(rawValue: "QUERY")
    /// Asks a proxy for a tunnel; only the egress proxy accepts it.
    package static let connect = HTTPMethod(rawValue: "CONNECT")
}
