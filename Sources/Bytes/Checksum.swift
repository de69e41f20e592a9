/// The CRC-32C (Castagnoli) of bytes, which finds torn and flipped records on disk; it is no defence against an attacker.
package func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var remainder = ~UInt32(0)
    for byte in bytes {
        remainder = remainder >> 8 ^ castagnoli[Int(truncatingIfNeeded: remainder ^ UInt32(byte)) & 0xff]
    }
    return ~remainder
}

/// Remainders of every byte under the reflected polynomial 0x82f63b78.
private let castagnoli: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { remainder, _ in
        remainder & 1 == 1 ? remainder >> 1 ^ 0x82f6_3b78 : remainder >> 1
    }
}
