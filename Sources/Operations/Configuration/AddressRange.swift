package import Platform

/// A block of IPv4 or IPv6 addresses, written `10.0.0.0/8`.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// The first address, in network order.
    package let bytes: [UInt8]
    /// How many leading bits are the block's.
    package let prefixLength: Int

    /// Reads a block, or a single address without a length; the bits behind the length must be zero.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let address = SocketAddress(host: parts[0], port: 0) else { return nil }
        switch address {
        case .ipv4(let bytes, _), .ipv6(let bytes, _): self.bytes = bytes
        case .unix: return nil
        }
        prefixLength = parts.count == 2 ? Int(parts[1]) ?? -1 : bytes.count * 8
        guard 0...(bytes.count * 8) ~= prefixLength else { return nil }
        guard Self.masked(bytes, prefixLength) == bytes else { return nil }
    }

    /// Whether an address lies in the block; a path never does.
    package func contains(_ address: SocketAddress) -> Bool {
        switch address {
        case .ipv4(let other, _), .ipv6(let other, _):
            other.count == bytes.count && Self.masked(other, prefixLength) == bytes
        case .unix: false
        }
    }

    /// The first address and the length.
    package var description: String {
        let address = bytes.count == 4 ? SocketAddress.ipv4(bytes, port: 0) : .ipv6(bytes, port: 0)
        return "\(address.host)/\(prefixLength)"
    }

    private static func masked(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            byte & ~(UInt8.max >> UInt8(min(8, max(0, length - index * 8))))
        }
    }
}
