/// The CRC-32 of ISO 3309 as zlib and gzip have it: for texts that other programs check; records on disk use CRC-32C.
package func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var remainder = ~UInt32(0)
    for byte in bytes {
        remainder = remainder >> 8 ^ isoTable[Int(truncatingIfNeeded: remainder ^ UInt32(byte)) & 0xff]
    }
    return ~remainder
}

/// The remainder of every byte under the reflected polynomial 0xedb88320.
private let isoTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { remainder, _ in
        remainder & 1 == 1 ? remainder >> 1 ^ 0xedb8_8320 : remainder >> 1
    }
}
