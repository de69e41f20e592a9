/// The bounds within which a JSON document is read.
package struct JSONLimits: Sendable {
    /// Nested arrays and objects; the reader recurses, so it never goes deeper than 512 whatever is asked for.
    package var maximumDepth = 32
    /// Length of the whole document.
    package var maximumBytes = 1 << 20
    /// Members of one object, or elements of one array.
    package var maximumMembers = 10_000
    /// Values in the whole document: the smallest takes two bytes of text and about a hundred of memory.
    package var maximumValues = 100_000

    /// The default bounds, fit for a request body.
    package init() {}

    /// Bounds that differ from the default in what is named.
    package init(
        maximumDepth: Int = 32,
        maximumBytes: Int = 1 << 20,
        maximumMembers: Int = 10_000,
        maximumValues: Int = 100_000
    ) {
        self.maximumDepth = maximumDepth
        self.maximumBytes = maximumBytes
        self.maximumMembers = maximumMembers
        self.maximumValues = maximumValues
    }
}

/// Why a document is not the JSON we accept.
package enum JSONErrorReason: String, Sendable {
    case tooLong = "the document is too long"
    case tooDeep = "the nesting is too deep"
    case tooManyMembers = "there are too many members or elements"
    case tooManyValues = "there are too many values"
    case unexpectedEnd = "the document ends too early"
    case unexpectedByte = "a byte is not allowed here"
    case invalidLiteral = "a literal is misspelt"
    case invalidNumber = "a number is malformed"
    case numberOutOfRange = "a number is too large"
    case controlCharacter = "a string holds a bare control character"
    case invalidEscape = "an escape is malformed"
    case loneSurrogate = "an escape is half of a surrogate pair"
    case invalidUTF8 = "a string is not UTF-8"
    case duplicateName = "a name occurs twice in an object"
    case trailingData = "something follows the document"
}

/// A refusal to read a document, with the place.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What is wrong.
    package let reason: JSONErrorReason
    /// The byte at which it was noticed.
    package let offset: Int

    /// Makes a refusal.
    package init(reason: JSONErrorReason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    package var description: String { "\(reason.rawValue) (at byte \(offset))" }
}
