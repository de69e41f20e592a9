/// What makes a name one that people can see and tell apart in a list.
enum PlainName {
    /// The text without the space around it.
    static func trimmed(_ text: String) -> String {
        let scalars = text.unicodeScalars
        let head = scalars.drop(while: isSpace)
        guard let last = head.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(String.UnicodeScalarView(head[...last]))
    }

    /// Whether anything of the text shows.
    static func isVisible(_ text: String) -> Bool { text.unicodeScalars.contains(where: shows) }

    /// Whether the text holds what moves a cursor or breaks a line.
    static func holdsControls(_ text: String) -> Bool {
        text.unicodeScalars.contains { scalar in
            [.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
        }
    }

    /// Spaces, also those of no width; joiners and selectors belong to the character before them.
    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || [0x200b, 0x2060, 0xfeff].contains(scalar.value)
    }

    private static func shows(_ scalar: Unicode.Scalar) -> Bool {
        // The blank pattern of Braille counts as a symbol.
        guard !scalar.properties.isDefaultIgnorableCodePoint, scalar.value != 0x2800 else { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            false
        default: true
        }
    }
}
