package import Platform

/// Why bytes could not be moved.
package enum TransportError: Error, CustomStringConvertible {
    /// A system call failed.
    case platform(PlatformError)
    /// TLS failed.
    case tls(TLSError)
    /// We closed the stream ourselves.
    case closed
    /// The peer took nothing for too long.
    case stalled

    /// The error for logs.
    package var description: String {
        switch self {
        case .platform(let error): error.description
        case .tls(let error): error.description
        case .closed: "the stream is closed"
        case .stalled: "the peer takes nothing"
        }
    }
}
