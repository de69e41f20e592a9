/// A request's head as offsets into the bytes it was parsed from.
package struct RequestHead {
    /// The method.
    package internal(set) var method = HTTPMethod.get
    /// The digit after `HTTP/1.`.
    package internal(set) var minorVersion: UInt8 = 1
    /// The target as it stands on the wire.
    package internal(set) var target = 0..<0
    /// Path and query; empty in authority form, and it lacks the slash of an absolute form without path.
    package internal(set) var origin = 0..<0
    /// The authority of an absolute or authority form, else the value of Host; nil for HTTP/1.0 without Host.
    package internal(set) var authority: Range<Int>?
    /// The scheme, the authority and the path were all in the target, as they are when we are used as a proxy.
    package internal(set) var isAbsoluteForm = false
    /// How the body is framed.
    package internal(set) var framing = BodyFraming.none
    /// Whether the connection may carry another request.
    package internal(set) var keepsAlive = true
    /// Whether the client waits for `100 Continue` before it sends the body.
    package internal(set) var expectsContinue = false
    /// Whether the Connection field asks for an upgrade.
    package internal(set) var wantsUpgrade = false
    /// Where the fields lie.
    var fields: [HeaderField] = []

    /// The head of a request that could not be read.
    package init() {}

    /// The fields over a copy of the head, which ends at `length`.
    package func headers(from bytes: borrowing Span<UInt8>, length: Int) -> HTTPHeaders {
        var block: [UInt8] = []
        block.reserveCapacity(length)
        block.append(copying: bytes, 0..<length)
        return HTTPHeaders(parsed: block, fields: fields)
    }

    /// Path and query as text, always with a leading slash unless the target is `*` or an authority.
    package func originText(from bytes: borrowing Span<UInt8>) -> String {
        if isAbsoluteForm, origin.isEmpty || bytes[origin.lowerBound] != 0x2F { return "/" + bytes.text(origin) }
        return bytes.text(origin.isEmpty ? target : origin)
    }

    /// The authority as text, lower-case as names compare; empty when there is none.
    package func authorityText(from bytes: borrowing Span<UInt8>) -> String {
        authority.map { bytes.text($0) } ?? ""
    }
}
