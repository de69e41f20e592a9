import Bytes
import Platform

/// The part of a client's address that stands for one client: all of IPv4, the /64 of IPv6 that one line is given.
struct AddressBlock: Hashable {
    private let family: UInt8
    private let bits: UInt64

    /// Clients without a numeric address, on a socket file.
    private static let local = AddressBlock(family: 0, bits: 0)

    private init(family: UInt8, bits: UInt64) {
        self.family = family
        self.bits = bits
    }

    /// The block of a numeric address; IPv4 within IPv6 is IPv4.
    init(_ address: String) {
        switch SocketAddress(host: address, port: 0) {
        case .ipv4(let bytes, _): self.init(family: 4, bits: Self.number(bytes[...]))
        case .ipv6(let bytes, _):
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.init(family: isMapped ? 4 : 6, bits: Self.number(isMapped ? bytes[12...] : bytes[..<8]))
        case .unix, nil: self = Self.local
        }
    }

    /// The /48 around a /64, as a site is given one and hands out its parts; nil for all else.
    var aggregate: AddressBlock? { family == 6 ? AddressBlock(family: 48, bits: bits >> 16) : nil }

    /// The block as bytes: its family, then its bits.
    var bytes: [UInt8] { [family] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) } }

    /// The block as a part of a key.
    var text: String { Hex.encode(bytes) }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
