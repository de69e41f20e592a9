import Glibc

/// A host name that gave no address.
package struct NameResolutionError: Error, Hashable, CustomStringConvertible {
    /// The name that was asked for.
    package let host: String
    /// The resolver's own words.
    package let reason: String

    /// Names the host and the reason.
    package var description: String { "resolve(\(host)): \(reason)" }
}

/// Turns host names into addresses without blocking a loop.
package enum NameResolver {
    /// The host's addresses in the order of preference, never empty; a numeric host is its own address.
    package static func resolve(host: String, port: UInt16) async throws -> [SocketAddress] {
        if let numeric = SocketAddress(host: host, port: port) { return [numeric] }
        return try await BlockingPool.run { try ask(host: host, port: port) }
    }

    private static func ask(host: String, port: UInt16) throws -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = unsafe getaddrinfo(host, nil, &hints, &list)
        guard result == 0 else {
            throw NameResolutionError(host: host, reason: unsafe String(cString: gai_strerror(result)))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            let length = Int(unsafe entry.pointee.ai_addrlen)
            let bytes = unsafe Array(UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: length))
            let address = unsafe SocketAddress(kernelForm: bytes, family: entry.pointee.ai_family)
            if let address = address?.with(port: port), !addresses.contains(address) { addresses.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw NameResolutionError(host: host, reason: "no address") }
        return addresses
    }
}

extension SocketAddress {
    /// The same host on another port; a path stays as it is.
    package func with(port: UInt16) -> SocketAddress {
        switch self {
        case .ipv4(let bytes, _): .ipv4(bytes, port: port)
        case .ipv6(let bytes, _): .ipv6(bytes, port: port)
        case .unix: self
        }
    }
}
