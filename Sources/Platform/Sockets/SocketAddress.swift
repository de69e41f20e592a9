import Glibc

/// Where a socket listens or connects.
package enum SocketAddress: Hashable, Sendable, CustomStringConvertible {
    /// Four address bytes in network order, and a port.
    case ipv4([UInt8], port: UInt16)
    /// Sixteen address bytes in network order, and a port.
    case ipv6([UInt8], port: UInt16)
    /// A path in the file system; empty for an unnamed socket.
    case unix(path: String)

    /// Reads a numeric IPv4 or IPv6 address, the latter with or without brackets; names are not resolved.
    package init?(host: String, port: UInt16) {
        var text = host
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        var four = in_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            self = .ipv4(unsafe withUnsafeBytes(of: &four) { unsafe Array($0) }, port: port)
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self = .ipv6(unsafe withUnsafeBytes(of: &six) { unsafe Array($0) }, port: port)
    }

    /// The numeric address without brackets, or the path.
    package var host: String {
        switch self {
        case .ipv4(let bytes, _): Self.text(AF_INET, bytes, capacity: Int(INET_ADDRSTRLEN))
        case .ipv6(let bytes, _): Self.text(AF_INET6, bytes, capacity: Int(INET6_ADDRSTRLEN))
        case .unix(let path): path
        }
    }

    /// The port, zero for a path.
    package var port: UInt16 {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port): port
        case .unix: 0
        }
    }

    /// `host:port` with brackets around an IPv6 address, or `unix:path`.
    package var description: String {
        switch self {
        case .ipv4(_, let port): "\(host):\(port)"
        case .ipv6(_, let port): "[\(host)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    private static func text(_ family: Int32, _ bytes: [UInt8], capacity: Int) -> String {
        precondition(bytes.count == (family == AF_INET ? 4 : 16), "an address of the wrong length")
        return unsafe String(
            unsafeUninitializedCapacity: capacity
        ) { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { text in
                let result = unsafe inet_ntop(family, bytes, text.baseAddress, socklen_t(text.count))
                return unsafe result.map { unsafe strlen($0) } ?? 0
            }
        }
    }
}
