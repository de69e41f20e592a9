import Bytes

/// The name of a master key, which follows from the key itself: no two keys share one, and it tells nothing of the key.
package struct MasterKeyID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Bytes of an identifier.
    package static let length = 8

    /// The bytes, as sealed secrets carry them.
    package let bytes: [UInt8]

    /// Takes the bytes; nil when they are not as many as an identifier has.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == Self.length else { return nil }
        self.bytes = [UInt8](bytes)
    }

    /// Reads the text form.
    package init?(_ text: String) {
        guard let bytes = Hex.decode(text) else { return nil }
        self.init(bytes)
    }

    /// Sixteen hexadecimal digits.
    package var description: String { Hex.encode(bytes) }

    package static func < (left: MasterKeyID, right: MasterKeyID) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}
