extension JSONWriter {
    /// Writes a member that is text, or `null`.
    package mutating func member(_ name: String, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    /// Writes a member that is an integer, or `null`.
    package mutating func member(_ name: String, _ value: (some BinaryInteger)?) {
        key(name)
        if let value { integer(value) } else { null() }
    }

    /// Writes a member that is a boolean, or `null`.
    package mutating func member(_ name: String, _ value: Bool?) {
        key(name)
        if let value { bool(value) } else { null() }
    }

    /// Writes a member that is an instant, or `null`.
    package mutating func member(_ name: String, _ value: Timestamp?) {
        key(name)
        if let value { string(value.rfc3339) } else { null() }
    }

    /// Writes a member of any value.
    package mutating func member(_ name: String, _ value: JSONValue) {
        key(name)
        self.value(value)
    }

    /// Writes a member whose value is JSON text already.
    package mutating func memberRaw(_ name: String, _ json: [UInt8]) {
        key(name)
        raw(json)
    }
}
