/// Text of strangers made safe to show: what would steer a terminal is spelt out instead.
enum VisibleText {
    /// Keeps line breaks and tabs; every other control character is spelt out.
    static func block(_ text: some StringProtocol) -> String {
        var shown = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\n", "\t": shown.append(scalar)
            // A line of DOS text ends like any other.
            case "\r" where rest.first == "\n": continue
            default: append(scalar, to: &shown)
            }
        }
        return String(shown)
    }

    /// One line of at most `limit` characters: line breaks and runs of space become one space.
    static func line(_ text: some StringProtocol, limit: Int = .max) -> String {
        var shown = String.UnicodeScalarView()
        var isSpace = true
        for scalar in text.unicodeScalars {
            if scalar.properties.isWhitespace {
                if !isSpace { shown.append(" ") }
                isSpace = true
            } else {
                append(scalar, to: &shown)
                isSpace = false
            }
        }
        if isSpace, !shown.isEmpty { shown.removeLast() }
        return cut(String(shown), to: limit)
    }

    /// The first `limit` characters, the last of them an ellipsis when more follow.
    static func cut(_ text: String, to limit: Int) -> String {
        // Counting all of a long text only to learn that it is long would be slow.
        guard text.index(text.startIndex, offsetBy: limit, limitedBy: text.endIndex) != nil, text.count > limit else {
            return text
        }
        return text.prefix(max(0, limit - 1)) + "…"
    }

    private static func append(_ scalar: Unicode.Scalar, to shown: inout String.UnicodeScalarView) {
        switch scalar.value {
        case 0..<0x20:
            shown.append("^")
            shown.append(Unicode.Scalar(UInt8(scalar.value) + 0x40))
        case 0x7f: shown.append(contentsOf: "^?".unicodeScalars)
        // C1 controls, and what reorders, hides or separates text.
        case 0x80...0x9f, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
            shown.append(contentsOf: "<U+\(hex(scalar.value))>".unicodeScalars)
        default: shown.append(scalar)
        }
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
