/// Half surrogate pairs in JSON escapes, which JavaScript writes and strict JSON refuses.
enum LoneSurrogates {
    /// The text with every escaped half replaced by the escaped replacement character.
    static func replaced(in json: [UInt8]) -> [UInt8] {
        var text = json
        var position = 0
        while position + 1 < text.count {
            guard text[position] == UInt8(ascii: "\\") else {
                position += 1
                continue
            }
            guard let first = unit(at: position, of: text) else {
                position += 2
                continue
            }
            if (0xd800..<0xdc00).contains(first), isLowHalf(unit(at: position + 6, of: text)) {
                position += 12
                continue
            }
            if (0xd800..<0xe000).contains(first) {
                text.replaceSubrange(position..<(position + 6), with: "\\ufffd".utf8)
            }
            position += 6
        }
        return text
    }

    private static func isLowHalf(_ unit: UInt16?) -> Bool { unit.map { (0xdc00..<0xe000).contains($0) } ?? false }

    /// The code unit that `\uXXXX` at `position` stands for; nil when something else is there.
    private static func unit(at position: Int, of text: [UInt8]) -> UInt16? {
        guard position + 6 <= text.count, text[position] == UInt8(ascii: "\\"), text[position + 1] == UInt8(ascii: "u")
        else { return nil }
        return UInt16(String(decoding: text[(position + 2)..<(position + 6)], as: UTF8.self), radix: 16)
    }
}
