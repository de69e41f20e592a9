/// Reads fixed-width and variable-width integers from the front of bytes; nothing is consumed by a read that fails.
package struct ByteCursor: Sendable {
    private let bytes: [UInt8]
    private var position = 0

    /// A cursor at the first byte.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// How many bytes are left.
    package var remaining: Int { bytes.count - position }

    /// The next integer in big-endian order, or nil when too few bytes are left.
    package mutating func read<T: FixedWidthInteger>(_ type: T.Type) -> T? {
        let width = T.bitWidth / 8
        guard remaining >= width else { return nil }
        var value: T = 0
        for byte in bytes[position..<position + width] {
            value = value << 8 | T(truncatingIfNeeded: byte)
        }
        position += width
        return value
    }

    /// The next `count` bytes, or nil when fewer are left.
    package mutating func read(count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, remaining >= count else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// The next LEB128 integer, or nil when it is cut, longer than 64 bits or not in its shortest form.
    package mutating func readVarint() -> UInt64? {
        var value: UInt64 = 0
        var next = position
        for shift: UInt64 in stride(from: 0, to: 70, by: 7) {
            guard next < bytes.count else { return nil }
            let byte = bytes[next]
            next += 1
            // The tenth byte holds the last bit only.
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 {
                guard byte != 0 || shift == 0 else { return nil }
                position = next
                return value
            }
        }
        return nil
    }
}

extension [UInt8] {
    /// Appends an integer in big-endian order.
    package mutating func appendBigEndian<T: FixedWidthInteger>(_ value: T) {
        for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Appends an integer as LEB128 in its shortest form.
    package mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }
}
