/// A JSON document as a value.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// A number without fraction or exponent that fits 64 bits.
    case integer(Int64)
    /// Any other finite number.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// Whether this is `null`.
    package var isNull: Bool { self == .null }

    /// The text of a string.
    package var string: String? { if case .string(let text) = self { text } else { nil } }

    /// The value of an integer; a number with a fraction or exponent is not one.
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

    /// The value of any number.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value of a boolean.
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The elements of an array.
    package var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    /// The members of an object.
    package var object: JSONObject? { if case .object(let members) = self { members } else { nil } }

    /// The member `name` of an object, nil when absent or when this is no object.
    package subscript(name: String) -> JSONValue? { object?[name] }

    /// The compact text of this value.
    package func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.value(self)
        return writer.bytes
    }
}

/// The members of a JSON object in the order in which they were written.
package struct JSONObject: Sendable, Equatable {
    /// Names and values in order; a parsed object never repeats a name.
    package var members: [(name: String, value: JSONValue)]

    /// An object without members.
    package init() { members = [] }

    /// An object with the given members in the given order.
    package init(_ pairs: [(String, JSONValue)]) { members = pairs.map { (name: $0.0, value: $0.1) } }

    /// The value of the member `name`.
    package subscript(name: String) -> JSONValue? { members.first { $0.name == name }?.value }

    /// The number of members.
    package var count: Int { members.count }

    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.elementsEqual(right.members) { $0.name == $1.name && $0.value == $1.value }
    }
}
