/// Reads RFC 8259 strictly: unique names, valid UTF-8, nothing before or after the value.
package enum JSONReader {
    /// The value of a whole document.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = .init()) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.maximumBytes else { throw JSONError(reason: .tooLong, offset: limits.maximumBytes) }
        var parser = JSONParser(bytes: bytes, limits: limits)
        return try parser.document()
    }
}

/// The recursive descent; `position` is the next unread byte.
struct JSONParser {
    let bytes: [UInt8]
    let limits: JSONLimits
    var position = 0
    private var depth = 0
    private var values = 0

    /// Keeps a caller's generous limit from running over the stack of a loop thread.
    private static let depthCap = 512
    /// From here on a set finds repeated names; below, a scan is quicker.
    private static let scannedNames = 8

    init(bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func document() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try value()
        skipSpace()
        guard position == bytes.count else { throw failure(.trailingData) }
        return value
    }

    func failure(_ reason: JSONErrorReason) -> JSONError { JSONError(reason: reason, offset: position) }

    private mutating func value() throws(JSONError) -> JSONValue {
        values += 1
        guard values <= limits.maximumValues else { throw failure(.tooManyValues) }
        switch try peek() {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure(.unexpectedByte)
        }
    }

    private mutating func object() throws(JSONError) -> JSONObject {
        try enter()
        var object = JSONObject()
        var names: Set<String> = []
        if try peek() != UInt8(ascii: "}") {
            repeat {
                guard object.count < limits.maximumMembers else { throw failure(.tooManyMembers) }
                skipSpace()
                guard try peek() == UInt8(ascii: "\"") else { throw failure(.unexpectedByte) }
                let start = position
                let name = try string()
                if object.count == Self.scannedNames { names = Set(object.members.lazy.map(\.name)) }
                let isNew =
                    object.count < Self.scannedNames
                    ? !object.members.contains { $0.name == name } : names.insert(name).inserted
                guard isNew else { throw JSONError(reason: .duplicateName, offset: start) }
                skipSpace()
                guard try peek() == UInt8(ascii: ":") else { throw failure(.unexpectedByte) }
                position += 1
                skipSpace()
                object.members.append((name: name, value: try value()))
            } while try continues(until: UInt8(ascii: "}"))
        }
        leave()
        return object
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        try enter()
        var elements: [JSONValue] = []
        if try peek() != UInt8(ascii: "]") {
            repeat {
                guard elements.count < limits.maximumMembers else { throw failure(.tooManyMembers) }
                skipSpace()
                elements.append(try value())
            } while try continues(until: UInt8(ascii: "]"))
        }
        leave()
        return elements
    }

    private mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= min(limits.maximumDepth, Self.depthCap) else { throw failure(.tooDeep) }
        position += 1
        skipSpace()
    }

    private mutating func leave() {
        depth -= 1
        position += 1
    }

    /// After an element: true past a comma, false at the closing bracket.
    private mutating func continues(until close: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        let next = try peek()
        if next == close { return false }
        guard next == UInt8(ascii: ",") else { throw failure(.unexpectedByte) }
        position += 1
        return true
    }

    private mutating func literal(_ spelling: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let expected = spelling.utf8
        guard bytes[position...].starts(with: expected) else { throw failure(.invalidLiteral) }
        position += expected.count
        return value
    }

    func peek() throws(JSONError) -> UInt8 {
        guard position < bytes.count else { throw failure(.unexpectedEnd) }
        return bytes[position]
    }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }
}
