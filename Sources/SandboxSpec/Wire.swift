/// A message of the launcher's protocol that cannot be read.
package struct WireError: Error, Equatable {
    /// What was wrong with the message.
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// The size bounds of the launcher's protocol.
package enum WireLimits {
    /// The first byte of every message; both ends refuse any other.
    package static let version: UInt8 = 1
    /// The largest message: below the kernel's default socket buffer of 208 KiB, which bounds one SEQPACKET message.
    package static let messageBytes = 160 * 1024
    /// The largest message towards the worker: the mount table and the namespaces of one sandbox.
    package static let replyBytes = 32 * 1024
    /// The most elements of a list: more than any argument list that fits into a message needs.
    package static let listElements = 16_384
    /// The most descriptors one message carries: stdin, stdout and stderr are three.
    package static let descriptors = 4
}

/// Appends fields to one message: little-endian integers, text and lists behind a 32-bit length.
package struct WireWriter {
    /// The message so far.
    package private(set) var bytes: [UInt8]

    package init(kind: UInt8) {
        bytes = [WireLimits.version, kind]
    }

    /// Appends one integer.
    package mutating func integer<T: FixedWidthInteger>(_ value: T) {
        for index in 0..<(T.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> (index * 8)))
        }
    }

    /// Appends a truth value.
    package mutating func flag(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    /// Appends a text.
    package mutating func text(_ value: String) {
        integer(UInt32(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Appends a list of texts.
    package mutating func texts(_ values: [String]) {
        integer(UInt32(values.count))
        for value in values { text(value) }
    }
}

/// Reads the fields of one message in order and refuses what is short, long or of another version.
package struct WireReader {
    /// The kind of the message.
    package let kind: UInt8
    private let bytes: [UInt8]
    private var position: Int

    package init(_ bytes: [UInt8]) throws(WireError) {
        guard bytes.count >= 2 else { throw WireError("short message") }
        guard bytes[0] == WireLimits.version else { throw WireError("protocol version \(bytes[0])") }
        kind = bytes[1]
        self.bytes = bytes
        position = 2
    }

    /// Reads one integer.
    package mutating func integer<T: FixedWidthInteger>(_: T.Type = T.self) throws(WireError) -> T {
        let size = T.bitWidth / 8
        guard bytes.count - position >= size else { throw WireError("integer cut off") }
        var value: T = 0
        for index in 0..<size {
            value |= T(truncatingIfNeeded: bytes[position + index]) << (index * 8)
        }
        position += size
        return value
    }

    /// Reads a truth value.
    package mutating func flag() throws(WireError) -> Bool {
        switch try integer(UInt8.self) {
        case 0: false
        case 1: true
        default: throw WireError("truth value")
        }
    }

    /// Reads a text; a zero byte or invalid UTF-8 is refused, since it goes to system calls.
    package mutating func text() throws(WireError) -> String {
        let length = Int(try integer(UInt32.self))
        guard length <= bytes.count - position else { throw WireError("text cut off") }
        let slice = bytes[position..<(position + length)]
        guard !slice.contains(0) else { throw WireError("zero byte in text") }
        guard let value = String(validating: slice, as: UTF8.self) else { throw WireError("text is not UTF-8") }
        position += length
        return value
    }

    /// Reads a list of texts.
    package mutating func texts() throws(WireError) -> [String] {
        let count = Int(try integer(UInt32.self))
        guard count <= WireLimits.listElements else { throw WireError("list too long") }
        var values: [String] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try text()) }
        return values
    }

    /// Refuses bytes behind the last field.
    package func end() throws(WireError) {
        guard position == bytes.count else { throw WireError("trailing bytes") }
    }
}
