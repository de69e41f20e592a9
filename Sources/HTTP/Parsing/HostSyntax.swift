/// The syntax of `host [":" port]`, narrower than RFC 3986: names, IPv4 and bracketed IPv6, no user, no escapes.
package enum HostSyntax {
    /// Whether the bytes in `range` name a host and perhaps a port.
    static func isValid(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        // 255 is the longest DNS name; 6 more for the port.
        guard !range.isEmpty, range.count <= 261 else { return false }
        var index = range.lowerBound
        if bytes[index] == 0x5B {
            index += 1
            let start = index
            while index < range.upperBound, isAddressPart(bytes[index]) { index += 1 }
            guard index > start, index < range.upperBound, bytes[index] == 0x5D else { return false }
            index += 1
        } else {
            let start = index
            while index < range.upperBound, isNamePart(bytes[index]) { index += 1 }
            guard index > start else { return false }
        }
        guard index < range.upperBound else { return true }
        guard bytes[index] == 0x3A else { return false }
        return isPort(bytes, (index + 1)..<range.upperBound)
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        CharacterClass.isDigit(byte) || (byte | 0x20) &- 0x61 < 26 || byte == 0x2D || byte == 0x2E || byte == 0x5F
    }

    private static func isAddressPart(_ byte: UInt8) -> Bool {
        CharacterClass.hexValue(byte) != nil || byte == 0x3A || byte == 0x2E
    }

    private static func isPort(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard (1...5).contains(range.count) else { return false }
        var port = 0
        for index in range {
            guard CharacterClass.isDigit(bytes[index]) else { return false }
            port = port * 10 + Int(bytes[index] - 0x30)
        }
        return port > 0 && port <= 65_535
    }
}
