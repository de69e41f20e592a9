/// Base62: digits, then upper-case, then lower-case letters, so that a double click selects the whole text.
package enum Base62 {
    private static let alphabet = [UInt8]("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let invalid: UInt8 = 0xff
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// The big-endian number that the bytes are, in exactly `length` digits; nil when it needs more.
    package static func encode(_ bytes: [UInt8], length: Int) -> String? {
        var number = bytes
        var digits = [UInt8](repeating: alphabet[0], count: length)
        for place in digits.indices.reversed() {
            var remainder = 0
            for index in number.indices {
                let value = remainder << 8 | Int(number[index])
                number[index] = UInt8(value / 62)
                remainder = value % 62
            }
            digits[place] = alphabet[remainder]
        }
        guard number.allSatisfy({ $0 == 0 }) else { return nil }
        return String(decoding: digits, as: UTF8.self)
    }

    /// The number that the digits are, in exactly `count` bytes; nil for another character, or when it needs more.
    package static func decode(_ text: some StringProtocol, count: Int) -> [UInt8]? {
        var number = [UInt8](repeating: 0, count: count)
        for character in text.utf8 {
            var carry = Int(values[Int(character)])
            guard carry < 62 else { return nil }
            for index in number.indices.reversed() {
                let value = Int(number[index]) * 62 + carry
                number[index] = UInt8(truncatingIfNeeded: value)
                carry = value >> 8
            }
            guard carry == 0 else { return nil }
        }
        return number
    }
}
