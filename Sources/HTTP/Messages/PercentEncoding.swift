import Bytes

/// Strict percent-decoding: a malformed escape, invalid UTF-8 or a NUL is an error, never passed through.
package enum PercentEncoding {
    /// Decodes `text`, or returns nil; `plusIsSpace` is for queries.
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let first = rest.next(), let second = rest.next(),
                    let high = CharacterClass.hexValue(first), let low = CharacterClass.hexValue(second),
                    high | low != 0
                else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(0x20)
            case 0: return nil
            default: bytes.append(byte)
            }
        }
        return String(strictUTF8: bytes)
    }

    /// Decodes the pairs of a query, or returns nil; a name without `=` has an empty value.
    package static func decodeQuery(_ text: some StringProtocol) -> [(String, String)]? {
        var pairs: [(String, String)] = []
        for part in text.split(separator: "&", omittingEmptySubsequences: true) {
            let name: String?
            let value: String?
            if let equals = part.utf8.firstIndex(of: UInt8(ascii: "=")) {
                name = decode(part[..<equals], plusIsSpace: true)
                value = decode(part[part.utf8.index(after: equals)...], plusIsSpace: true)
            } else {
                name = decode(part, plusIsSpace: true)
                value = ""
            }
            guard let name, let value else { return nil }
            pairs.append((name, value))
        }
        return pairs
    }

    /// Splits a path at its slashes and decodes each segment, or returns nil.
    package static func decodeSegments(_ path: String) -> [String]? {
        guard path.utf8.first == UInt8(ascii: "/") else { return nil }
        var segments: [String] = []
        // Bytes, not characters: a mark that combines with the slash makes it no other, and characters cost ten times as much.
        let parts = path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for part in parts {
            guard let segment = decode(Substring(part)) else { return nil }
            segments.append(segment)
        }
        return segments
    }

    /// Encodes all bytes but RFC 3986's unreserved characters; fit for a path segment and for a query value.
    package static func encode(_ text: some StringProtocol) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: bytes.append(byte)
            default: bytes += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
