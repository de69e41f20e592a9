/// The character classes of RFC 9110 and RFC 3986 as bit sets.
package enum CharacterClass {
    // `!#$%&'*+-.^_`|~`, digits and letters: bit n of the pair stands for character n.
    private static let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
    private static let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE

    /// Whether a byte may stand in a method or a field name.
    @inline(__always)
    package static func isToken(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        let word = byte < 64 ? tokenLow : tokenHigh
        return (word >> UInt64(byte & 63)) & 1 == 1
    }

    /// Whether a byte is a control character that no field value may hold (all but the tab).
    @inline(__always)
    package static func isControl(_ byte: UInt8) -> Bool {
        (byte < 0x20 && byte != 0x09) || byte == 0x7F
    }

    /// Whether a byte is a space or a tab.
    @inline(__always)
    package static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }

    /// Whether a byte is an ASCII digit.
    @inline(__always)
    package static func isDigit(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10
    }

    /// The byte with an upper-case ASCII letter made lower-case.
    @inline(__always)
    package static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    package static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : nil
    }

    /// Whether a byte may stand in a request target: visible ASCII without `"#<>\` (browsers send `^{|}` as they are).
    @inline(__always)
    package static func isTarget(_ byte: UInt8) -> Bool {
        guard byte > 0x20, byte < 0x7F else { return false }
        return byte != 0x22 && byte != 0x23 && byte != 0x3C && byte != 0x3E && byte != 0x5C
    }
}

extension [UInt8] {
    /// Appends a copy of all bytes of `span`.
    mutating func append(copying span: borrowing Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends a copy of the bytes of `span` in `range`.
    mutating func append(copying span: borrowing Span<UInt8>, _ range: Range<Int>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0[range]) }
    }
}
