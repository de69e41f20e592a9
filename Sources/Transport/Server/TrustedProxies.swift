import HTTP
package import Platform

/// The networks whose word about the client's address and scheme is taken.
package struct TrustedProxies: Sendable {
    private struct Network: Sendable {
        let bytes: [UInt8]
        let bits: Int

        func contains(_ address: [UInt8]) -> Bool {
            guard address.count == bytes.count else { return false }
            for index in bytes.indices {
                let left = bits - index * 8
                guard left > 0 else { return true }
                let mask: UInt8 = left >= 8 ? 0xFF : ~(0xFF >> UInt8(left))
                guard bytes[index] & mask == address[index] & mask else { return false }
            }
            return true
        }
    }

    private let networks: [Network]

    /// Trusts nobody.
    package static let none = TrustedProxies(networks: [])

    private init(networks: [Network]) {
        self.networks = networks
    }

    /// Reads networks like `10.0.0.0/8` or `::1`, or returns nil when one is malformed.
    package init?(_ texts: [String]) {
        var networks: [Network] = []
        for text in texts {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard let first = parts.first, parts.count <= 2, let address = SocketAddress(host: String(first), port: 0)
            else { return nil }
            let bytes = Self.bytes(address)
            let bits = parts.count == 2 ? Int(parts[1]) : bytes.count * 8
            guard let bits, (0...(bytes.count * 8)).contains(bits), !bytes.isEmpty else { return nil }
            networks.append(Network(bytes: bytes, bits: bits))
        }
        self.networks = networks
    }

    /// Whether nobody is trusted.
    package var isEmpty: Bool { networks.isEmpty }

    /// Whether an address belongs to a trusted proxy.
    package func contains(_ address: SocketAddress?) -> Bool {
        guard !networks.isEmpty, let address else { return false }
        let bytes = Self.bytes(address)
        return networks.contains { $0.contains(bytes) }
    }

    /// The client as seen through the proxies: the last address that no trusted proxy has, and its scheme.
    func client(behind peer: SocketAddress?, isSecure: Bool, headers: HTTPHeaders) -> (host: String, isSecure: Bool) {
        guard contains(peer), let peer else { return (peer?.host ?? "", isSecure) }
        var client = peer
        // From the right: each trusted hop vouches for the one before it, and what a stranger wrote is not read.
        for text in headers.list(of: "x-forwarded-for").reversed() {
            guard contains(client), let hop = SocketAddress(host: text, port: 0) else { break }
            client = hop
        }
        let scheme = headers.list(of: "x-forwarded-proto").last?.lowercased()
        return (client.host, scheme.map { $0 == "https" } ?? isSecure)
    }

    private static func bytes(_ address: SocketAddress) -> [UInt8] {
        switch address {
        case .ipv4(let bytes, _): bytes
        case .ipv6(let bytes, _): bytes
        case .unix: []
        }
    }
}
