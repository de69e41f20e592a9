import Platform

/// A kind of address that a name from outside must not lead to.
package enum AddressKind: String, Sendable {
    case unspecified, loopback, multicast, reserved, documentation
    case privateUse = "private"
    case linkLocal = "link-local"
    case shared = "carrier-grade NAT"
    case metadata = "a cloud's own service"
    case benchmark = "benchmarking"
    case embedded = "IPv4 inside IPv6"
    case local = "a socket of this machine"
}

extension SocketAddress {
    /// Why the address is not one of the public internet; nil when it is.
    package var specialKind: AddressKind? {
        switch self {
        case .ipv4(let bytes, _): Self.kind(of: bytes, in: Self.special4)
        case .ipv6(let bytes, _):
            // Only 2000::/3 was ever given out; everything else is local, embedded or reserved.
            Self.kind(of: bytes, in: Self.special6) ?? (bytes.first.map { $0 >> 5 } == 1 ? nil : .reserved)
        case .unix: .local
        }
    }

    private typealias Block = (bytes: [UInt8], length: Int, kind: AddressKind)

    /// The IANA registry of special IPv4 addresses, and one that a cloud took for itself.
    private static let special4: [Block] = [
        ([0, 0, 0, 0], 8, .unspecified), ([10, 0, 0, 0], 8, .privateUse), ([100, 64, 0, 0], 10, .shared),
        ([127, 0, 0, 0], 8, .loopback), ([169, 254, 0, 0], 16, .linkLocal), ([172, 16, 0, 0], 12, .privateUse),
        ([192, 0, 0, 0], 24, .reserved), ([192, 0, 2, 0], 24, .documentation), ([192, 31, 196, 0], 24, .reserved),
        ([192, 52, 193, 0], 24, .reserved), ([192, 88, 99, 0], 24, .embedded), ([192, 168, 0, 0], 16, .privateUse),
        ([192, 175, 48, 0], 24, .reserved), ([198, 18, 0, 0], 15, .benchmark), ([198, 51, 100, 0], 24, .documentation),
        ([203, 0, 113, 0], 24, .documentation), ([224, 0, 0, 0], 4, .multicast), ([240, 0, 0, 0], 4, .reserved),
        ([168, 63, 129, 16], 32, .metadata),
    ]

    /// The IANA registry of special IPv6 addresses, and all forms that carry an IPv4 address.
    private static let special6: [Block] = [
        (sixteen(), 128, .unspecified), (sixteen(last: 1), 128, .loopback), (sixteen(), 96, .embedded),
        (sixteen(at: 10, [0xff, 0xff]), 96, .embedded), (sixteen([0x00, 0x64, 0xff, 0x9b]), 96, .embedded),
        (sixteen([0x00, 0x64, 0xff, 0x9b, 0x00, 0x01]), 48, .embedded), (sixteen([0x20, 0x02]), 16, .embedded),
        (sixteen([0x20, 0x01, 0x0d, 0xb8]), 32, .documentation), (sixteen([0x20, 0x01]), 32, .embedded),
        (sixteen([0x20, 0x01]), 23, .reserved), (sixteen([0x3f, 0xff]), 20, .documentation),
        (sixteen([0xfc]), 7, .privateUse), (sixteen([0xfe, 0x80]), 10, .linkLocal), (sixteen([0xff]), 8, .multicast),
    ]

    private static func sixteen(at start: Int = 0, _ bytes: [UInt8] = [], last: UInt8 = 0) -> [UInt8] {
        var address = [UInt8](repeating: 0, count: start) + bytes
        address += [UInt8](repeating: 0, count: 15 - address.count) + [last]
        return address
    }

    private static func kind(of address: [UInt8], in blocks: [Block]) -> AddressKind? {
        blocks.first { block in
            zip(address, block.bytes).enumerated().allSatisfy { index, pair in
                let bits = min(8, max(0, block.length - index * 8))
                return bits == 0 || (pair.0 ^ pair.1) >> UInt8(8 - bits) == 0
            }
        }?.kind
    }
}
