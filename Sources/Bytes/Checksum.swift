/// The CRC-32C (Castagnoli) of bytes, which finds torn and flipped records on disk; it is no defence against an attacker.
package func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let bytes = Array(bytes)
    return crc32c(bytes.span)
}

/// The CRC-32C of a piece of memory, eight bytes a step: it runs over every record at each of its stations.
package func crc32c(_ bytes: Span<UInt8>) -> UInt32 {
    let tables = castagnoli
    let table = tables.span
    var remainder = ~UInt32(0)
    var index = 0
    while index + 8 <= bytes.count {
        // In bounds by the condition above.
        let word = unsafe UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
        let mixed = word ^ UInt64(remainder)
        remainder = 0
        for step in 0..<8 {
            remainder ^= table[(7 - step) << 8 | Int(truncatingIfNeeded: mixed >> UInt64(step * 8)) & 0xff]
        }
        index += 8
    }
    while index < bytes.count {
        remainder = remainder >> 8 ^ table[Int(truncatingIfNeeded: remainder ^ UInt32(bytes[index])) & 0xff]
        index += 1
    }
    return ~remainder
}

/// Eight tables of 256: the remainder of every byte under the reflected polynomial 0x82f63b78, then of that byte
/// followed by one to seven zero bytes.
private let castagnoli: [UInt32] = {
    var tables: [UInt32] = []
    for index: UInt32 in 0..<256 {
        var remainder = index
        for _ in 0..<8 {
            let isOdd = remainder & 1 == 1
            remainder >>= 1
            if isOdd { remainder ^= 0x82f6_3b78 }
        }
        tables.append(remainder)
    }
    for index in 256..<2_048 {
        let shorter = tables[index - 256]
        tables.append((shorter >> 8) ^ tables[Int(shorter & 0xff)])
    }
    return tables
}()
