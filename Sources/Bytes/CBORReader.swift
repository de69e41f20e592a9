/// Reads CBOR in the canonical form of CTAP2 and nothing else: one value has one spelling.
package enum CBORReader {
    /// The item that is all of `bytes`.
    package static func parse(_ bytes: [UInt8], limits: CBORLimits = .init()) throws(CBORError) -> CBORValue {
        let (value, rest) = try parsePrefix(bytes[...], limits: limits)
        guard rest.isEmpty else { throw .trailingData }
        return value
    }

    /// The item that `bytes` begin with, and what follows it.
    package static func parsePrefix(
        _ bytes: ArraySlice<UInt8>,
        limits: CBORLimits = .init()
    ) throws(CBORError) -> (value: CBORValue, rest: ArraySlice<UInt8>) {
        guard bytes.count <= limits.maximumBytes else { throw .tooLong }
        var parser = CBORParser(rest: bytes, limits: limits)
        let value = try parser.item(depth: 0)
        return (value, parser.rest)
    }
}

/// The recursive descent; `rest` is what has not been read.
private struct CBORParser {
    var rest: ArraySlice<UInt8>
    let limits: CBORLimits
    private var items = 0

    init(rest: ArraySlice<UInt8>, limits: CBORLimits) {
        self.rest = rest
        self.limits = limits
    }

    mutating func item(depth: Int) throws(CBORError) -> CBORValue {
        items += 1
        guard items <= limits.maximumItems else { throw .tooManyItems }
        guard depth <= limits.maximumDepth else { throw .tooDeep }
        let initial = try byte()
        let information = initial & 0x1f
        switch initial >> 5 {
        case 0: return .unsigned(try argument(information))
        case 1: return .negative(try argument(information))
        case 2: return .bytes([UInt8](try take(try argument(information))))
        case 3:
            guard let text = String(strictUTF8: [UInt8](try take(try argument(information)))) else { throw .badText }
            return .text(text)
        case 4: return .array(try array(try argument(information), depth: depth))
        case 5: return .map(try map(try argument(information), depth: depth))
        case 7: return try simple(information)
        default: throw .unsupported
        }
    }

    private mutating func array(_ count: UInt64, depth: Int) throws(CBORError) -> [CBORValue] {
        var elements: [CBORValue] = []
        // Each element takes a byte at least, so a false count ends where the bytes do.
        for _ in 0..<count { elements.append(try item(depth: depth + 1)) }
        return elements
    }

    private mutating func map(_ count: UInt64, depth: Int) throws(CBORError) -> [CBORMember] {
        var members: [CBORMember] = []
        var last: ArraySlice<UInt8>?
        for _ in 0..<count {
            let start = rest
            let key = try item(depth: depth + 1)
            switch key {
            case .unsigned, .negative, .text: break
            default: throw .badKey
            }
            let encoded = start[start.startIndex..<rest.startIndex]
            if let last, !Self.precedes(last, encoded) { throw .badKey }
            last = encoded
            members.append(CBORMember(key: key, value: try item(depth: depth + 1)))
        }
        return members
    }

    /// The order of CTAP2: by major type, then the shorter, then byte by byte.
    private static func precedes(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        let (leftMajor, rightMajor) = ((left.first ?? 0) >> 5, (right.first ?? 0) >> 5)
        guard leftMajor == rightMajor else { return leftMajor < rightMajor }
        guard left.count == right.count else { return left.count < right.count }
        return left.lexicographicallyPrecedes(right)
    }

    private func simple(_ information: UInt8) throws(CBORError) -> CBORValue {
        switch information {
        case 20: return .bool(false)
        case 21: return .bool(true)
        case 22: return .null
        default: throw .unsupported
        }
    }

    /// The integer behind an initial byte, in its shortest form.
    private mutating func argument(_ information: UInt8) throws(CBORError) -> UInt64 {
        guard information >= 24 else { return UInt64(information) }
        guard information <= 27 else { throw .notShortest }
        let width = 1 << Int(information - 24)
        let value = try take(UInt64(width)).reduce(0) { $0 << 8 | UInt64($1) }
        let least: UInt64 = width == 1 ? 24 : 1 << UInt64(width * 4)
        guard value >= least else { throw .notShortest }
        return value
    }

    private mutating func byte() throws(CBORError) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .unexpectedEnd }
        return byte
    }

    private mutating func take(_ count: UInt64) throws(CBORError) -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw .unexpectedEnd }
        let taken = rest.prefix(Int(count))
        rest = rest.dropFirst(Int(count))
        return taken
    }
}
