/// Base64 (RFC 4648) in the padded standard alphabet and in the unpadded URL alphabet, both strict.
package enum Base64 {
    private static let standard = Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    private static let url = Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    private static let pad = UInt8(ascii: "=")

    /// The padded standard form.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text = standard.encode(bytes)
        while !text.count.isMultiple(of: 4) { text.append(pad) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of a padded standard form, or nil for white space, wrong padding or stray trailing bits.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var characters = [UInt8](text.utf8)
        guard characters.count.isMultiple(of: 4) else { return nil }
        for _ in 0..<2 where characters.last == pad { characters.removeLast() }
        return standard.decode(characters)
    }

    /// The unpadded URL form.
    package static func encodeURL(_ bytes: [UInt8]) -> String {
        String(decoding: url.encode(bytes), as: UTF8.self)
    }

    /// The bytes of an unpadded URL form, or nil for padding, white space or stray trailing bits.
    package static func decodeURL(_ text: some StringProtocol) -> [UInt8]? {
        url.decode([UInt8](text.utf8))
    }
}

/// One alphabet of 64 characters and its inverse.
private struct Alphabet {
    private let characters: [UInt8]
    private let values: [UInt8]
    private static let invalid: UInt8 = 0xff

    init(_ alphabet: String) {
        characters = [UInt8](alphabet.utf8)
        var values = [UInt8](repeating: Self.invalid, count: 256)
        for (value, character) in characters.enumerated() { values[Int(character)] = UInt8(value) }
        self.values = values
    }

    func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3 + 2)
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(characters[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { text.append(characters[Int(bits << UInt32(6 - count) & 63)]) }
        return text
    }

    func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 3 / 4)
        var bits: UInt32 = 0
        var count = 0
        for character in text {
            let value = values[Int(character)]
            guard value != Self.invalid else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        // A second spelling of the same bytes would let one token pass as two.
        guard bits & (1 << UInt32(count) - 1) == 0 else { return nil }
        return bytes
    }
}
