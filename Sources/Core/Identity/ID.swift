package import Bytes

/// A kind of thing that has identifiers, with the prefix that its text form carries.
package protocol Noun: Sendable {
    /// The lower-case prefix of the text form, without the underscore.
    static var prefix: String { get }
}

/// A typed identifier: a UUIDv7 whose text form is the noun's prefix, an underscore and 26 Crockford base32 characters.
package struct ID<N: Noun>: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first eight bytes: 48 bits of milliseconds, the version and 12 random bits.
    package let high: UInt64
    /// The last eight bytes: the variant and 62 random bits.
    package let low: UInt64

    /// Makes an identifier from the two halves of a UUID.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a new identifier that sorts by `time` (RFC 9562, version 7).
    package init(at time: Timestamp) {
        var random = SystemRandomNumberGenerator()
        let milliseconds = UInt64(clamping: time.milliseconds) & 0xffff_ffff_ffff
        high = milliseconds << 16 | 0x7000 | UInt64(random.next() as UInt16) & 0x0fff
        low = 0x8000_0000_0000_0000 | (random.next() as UInt64) & 0x3fff_ffff_ffff_ffff
    }

    /// Reads the text form; nil when the prefix, the length or a character is wrong.
    package init?(_ text: some StringProtocol) {
        let head = N.prefix + "_"
        guard text.utf8.count == head.utf8.count + 26, text.hasPrefix(head),
            let halves = Crockford32.decode(text.dropFirst(head.count))
        else { return nil }
        (high, low) = halves
    }

    /// Reads the 16 bytes of a UUID.
    package init?(uuidBytes bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The 16 bytes of the UUID, most significant first.
    package var uuidBytes: [UInt8] {
        [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
    }

    package var description: String { N.prefix + "_" + Crockford32.encode(high: high, low: low) }

    package static func < (left: ID, right: ID) -> Bool { (left.high, left.low) < (right.high, right.low) }
}
