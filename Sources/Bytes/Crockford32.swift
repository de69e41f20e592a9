/// Crockford's base32 of a 128-bit value: 26 characters that sort as the value does.
package enum Crockford32 {
    private static let alphabet = [UInt8]("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    private static let length = 26

    /// The 26 lower-case characters of a 128-bit value given as two halves.
    package static func encode(high: UInt64, low: UInt64) -> String {
        var value = UInt128(high) << 64 | UInt128(low)
        var text = [UInt8](repeating: 0, count: length)
        for position in stride(from: length - 1, through: 0, by: -1) {
            text[position] = alphabet[Int(truncatingIfNeeded: value & 31)]
            value >>= 5
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The value of 26 lower-case characters, or nil: one value has exactly one spelling.
    package static func decode(_ text: some StringProtocol) -> (high: UInt64, low: UInt64)? {
        guard text.utf8.count == length, let first = text.utf8.first, first <= UInt8(ascii: "7") else { return nil }
        var value: UInt128 = 0
        for character in text.utf8 {
            guard let digit = digit(character) else { return nil }
            value = value << 5 | UInt128(digit)
        }
        return (UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "h"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "j"), UInt8(ascii: "k"): character - UInt8(ascii: "j") + 18
        case UInt8(ascii: "m"), UInt8(ascii: "n"): character - UInt8(ascii: "m") + 20
        case UInt8(ascii: "p")...UInt8(ascii: "t"): character - UInt8(ascii: "p") + 22
        case UInt8(ascii: "v")...UInt8(ascii: "z"): character - UInt8(ascii: "v") + 27
        default: nil
        }
    }
}
