/// A CBOR data item (RFC 8949) of the kinds that authenticators send: no floats, no tags.
package enum CBORValue: Sendable, Equatable {
    case unsigned(UInt64)
    /// The integer −1 − n.
    case negative(UInt64)
    case bytes([UInt8])
    case text(String)
    case array([CBORValue])
    /// In canonical order, each key once.
    case map([CBORMember])
    case bool(Bool)
    case null

    /// The integer, when it is one that fits.
    package var integer: Int64? {
        switch self {
        case .unsigned(let value): Int64(exactly: value)
        case .negative(let value): Int64(exactly: value).map { -1 - $0 }
        default: nil
        }
    }

    /// The bytes of a byte string.
    package var byteString: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }

    /// The text of a text string.
    package var string: String? { if case .text(let text) = self { text } else { nil } }

    /// The members of a map.
    package var members: [CBORMember]? { if case .map(let members) = self { members } else { nil } }

    /// The value of an integer key in a map.
    package subscript(key: Int64) -> CBORValue? { members?.first { $0.key.integer == key }?.value }

    /// The value of a text key in a map.
    package subscript(key: String) -> CBORValue? { members?.first { $0.key.string == key }?.value }
}

/// One entry of a map.
package struct CBORMember: Sendable, Equatable {
    package var key: CBORValue
    package var value: CBORValue

    /// Pairs a key with a value.
    package init(key: CBORValue, value: CBORValue) {
        self.key = key
        self.value = value
    }
}

/// Why bytes are not the one canonical form of an item that is read here.
package enum CBORError: Error, Sendable, Equatable {
    case tooLong
    case tooDeep
    case tooManyItems
    /// The item is cut short.
    case unexpectedEnd
    /// Bytes follow the item.
    case trailingData
    /// An integer or a length that has a shorter form, or a length of no fixed size.
    case notShortest
    /// A map whose keys are out of order, repeated, or neither integers nor texts.
    case badKey
    /// A text that is not UTF-8.
    case badText
    /// A float, a tag or a simple value that authenticators do not send.
    case unsupported
}

/// The limits that an item is read under.
package struct CBORLimits: Sendable {
    /// No attestation object or key that is accepted here comes near this.
    package var maximumBytes = 16 << 10
    /// CTAP2 nests no deeper.
    package var maximumDepth = 4
    /// Items in all, nested ones included.
    package var maximumItems = 128

    /// The standard limits.
    package init() {}
}
