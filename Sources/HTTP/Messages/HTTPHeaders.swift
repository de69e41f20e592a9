/// Where one field lies inside the block of its headers.
struct HeaderField: Sendable {
    var nameStart: UInt32
    var nameEnd: UInt32
    var valueStart: UInt32
    var valueEnd: UInt32
}

/// Header fields as one block of bytes and offsets into it; a String is made only when asked for.
package struct HTTPHeaders: Sendable {
    /// The bytes that the offsets point into: `name: value CRLF` lines, or a whole parsed head.
    private(set) var block: [UInt8]
    private(set) var fields: [HeaderField]
    /// True while `block` holds nothing but field lines, so that it can be sent as it is.
    private(set) var isWireForm: Bool

    /// Makes an empty set of fields.
    package init() {
        block = []
        fields = []
        isWireForm = true
    }

    /// Makes fields from pairs; a pair that `append` refuses is left out.
    package init(_ pairs: [(String, String)]) {
        self.init()
        for (name, value) in pairs { append(name: name, value: value) }
    }

    /// Takes over what a parser has found.
    init(parsed block: [UInt8], fields: [HeaderField]) {
        self.block = block
        self.fields = fields
        isWireForm = false
    }

    /// The number of fields.
    package var count: Int { fields.count }

    /// The value of the first field of that name, compared without case.
    package subscript(name: String) -> String? {
        for field in fields where matches(field, name) { return text(field.valueStart, field.valueEnd) }
        return nil
    }

    /// The values of all fields of that name, in order.
    package func values(of name: String) -> [String] {
        var found: [String] = []
        for field in fields where matches(field, name) { found.append(text(field.valueStart, field.valueEnd)) }
        return found
    }

    /// The elements of all fields of that name, split at commas, trimmed, empty ones left out.
    package func list(of name: String) -> [String] {
        var elements: [String] = []
        for value in values(of: name) {
            for element in value.utf8.split(separator: UInt8(ascii: ",")) {
                let trimmed = element.drop(while: CharacterClass.isBlank)
                let end = trimmed.lastIndex { !CharacterClass.isBlank($0) }
                guard let end else { continue }
                elements.append(String(Substring(trimmed[...end])))
            }
        }
        return elements
    }

    /// Whether a field of that name is present.
    package func contains(_ name: String) -> Bool {
        fields.contains { matches($0, name) }
    }

    /// Adds a field, and refuses (returns false) a name that is no token or a value with control characters.
    @discardableResult
    package mutating func append(name: String, value: String) -> Bool {
        var name = name
        var value = value
        return name.withUTF8 { name in
            value.withUTF8 { value in
                unsafe append(name: Span(_unsafeElements: name), value: Span(_unsafeElements: value))
            }
        }
    }

    /// Replaces every field of that name by one; refuses as `append` does, leaving all as it was.
    @discardableResult
    package mutating func set(name: String, value: String) -> Bool {
        var changed = self
        changed.remove(name: name)
        guard changed.append(name: name, value: value) else { return false }
        self = changed
        return true
    }

    /// Removes every field of that name.
    package mutating func remove(name: String) {
        guard contains(name) else { return }
        rebuild(leavingOut: name)
    }

    /// All fields in order, as text.
    package var all: [(String, String)] {
        fields.map { (text($0.nameStart, $0.nameEnd), text($0.valueStart, $0.valueEnd)) }
    }

    /// Appends all fields to `output` as `name: value CRLF` lines.
    package func write(to output: inout [UInt8]) {
        if isWireForm { return output.append(contentsOf: block) }
        for field in fields {
            output.append(contentsOf: block[Int(field.nameStart)..<Int(field.nameEnd)])
            output.append(contentsOf: [0x3A, 0x20])
            output.append(contentsOf: block[Int(field.valueStart)..<Int(field.valueEnd)])
            output.append(contentsOf: [0x0D, 0x0A])
        }
    }

    private mutating func append(name: borrowing Span<UInt8>, value: borrowing Span<UInt8>) -> Bool {
        guard !name.isEmpty else { return false }
        for index in name.indices where !CharacterClass.isToken(name[index]) { return false }
        for index in value.indices where CharacterClass.isControl(value[index]) { return false }
        guard block.count + name.count + value.count + 4 < Int(UInt32.max) else { return false }
        if !isWireForm { rebuild(leavingOut: nil) }
        if fields.isEmpty { block.reserveCapacity(128) }
        let nameStart = UInt32(block.count)
        block.append(copying: name)
        let nameEnd = UInt32(block.count)
        block.append(0x3A)
        block.append(0x20)
        let valueStart = UInt32(block.count)
        block.append(copying: value)
        let valueEnd = UInt32(block.count)
        block.append(0x0D)
        block.append(0x0A)
        fields.append(
            HeaderField(nameStart: nameStart, nameEnd: nameEnd, valueStart: valueStart, valueEnd: valueEnd)
        )
        return true
    }

    private mutating func rebuild(leavingOut unwanted: String?) {
        var rebuilt: [UInt8] = []
        var kept: [HeaderField] = []
        rebuilt.reserveCapacity(block.count + 64)
        for field in fields {
            if let unwanted, matches(field, unwanted) { continue }
            let nameStart = UInt32(rebuilt.count)
            rebuilt.append(contentsOf: block[Int(field.nameStart)..<Int(field.nameEnd)])
            rebuilt.append(0x3A)
            rebuilt.append(0x20)
            let valueStart = UInt32(rebuilt.count)
            rebuilt.append(contentsOf: block[Int(field.valueStart)..<Int(field.valueEnd)])
            let valueEnd = UInt32(rebuilt.count)
            rebuilt.append(0x0D)
            rebuilt.append(0x0A)
            kept.append(
                HeaderField(
                    nameStart: nameStart,
                    nameEnd: valueStart - 2,
                    valueStart: valueStart,
                    valueEnd: valueEnd
                )
            )
        }
        block = rebuilt
        fields = kept
        isWireForm = true
    }

    private func matches(_ field: HeaderField, _ name: String) -> Bool {
        let length = Int(field.nameEnd - field.nameStart)
        guard name.utf8.count == length else { return false }
        var index = Int(field.nameStart)
        for byte in name.utf8 {
            guard CharacterClass.lowercased(block[index]) == CharacterClass.lowercased(byte) else { return false }
            index += 1
        }
        return true
    }

    private func text(_ start: UInt32, _ end: UInt32) -> String {
        String(decoding: block[Int(start)..<Int(end)], as: UTF8.self)
    }
}
