/// A strict reader of Structured Field Lists of Strings with Integer parameters (RFC 9651), written from the grammar.
struct StructuredList {
    struct Item: Equatable {
        var name: String
        var parameters: [String: Int64] = [:]
    }

    private var rest: Substring.UTF8View

    /// The items of a field's value; nil when it is not exactly such a list.
    static func parse(_ text: String) -> [Item]? {
        var reader = StructuredList(rest: Substring(text).utf8)
        var items: [Item] = []
        guard !reader.rest.isEmpty else { return nil }
        while true {
            guard let item = reader.item() else { return nil }
            items.append(item)
            reader.skip(" \t")
            if reader.rest.isEmpty { return items }
            guard reader.take(",") else { return nil }
            reader.skip(" \t")
            guard !reader.rest.isEmpty else { return nil }
        }
    }

    private mutating func item() -> Item? {
        guard let name = string() else { return nil }
        var item = Item(name: name)
        while take(";") {
            skip(" ")
            guard let key = key(), take("="), let number = integer() else { return nil }
            item.parameters[key] = number
        }
        return item
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst(), "\"\\".utf8.contains(escaped) else { return nil }
                bytes.append(escaped)
            case 0x20...0x7E: bytes.append(byte)
            default: return nil
            }
        }
        return nil
    }

    private mutating func key() -> String? {
        guard let first = rest.first, (0x61...0x7A).contains(first) || first == UInt8(ascii: "*") else { return nil }
        let bytes = rest.prefix { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "_-.*".utf8.contains($0) }
        rest.removeFirst(bytes.count)
        return String(Substring(bytes))
    }

    private mutating func integer() -> Int64? {
        let isNegative = take("-")
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        guard (1...15).contains(digits.count), let number = Int64(String(Substring(digits))) else { return nil }
        rest.removeFirst(digits.count)
        // A decimal is no integer.
        guard rest.first != UInt8(ascii: ".") else { return nil }
        return isNegative ? -number : number
    }

    private mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest.removeFirst(text.utf8.count)
        return true
    }

    private mutating func skip(_ characters: String) {
        while let byte = rest.first, characters.utf8.contains(byte) { rest.removeFirst() }
    }
}
