/// Validates UTF-8 that arrives in pieces, and notices a fault at its first byte.
struct UTF8Validator: Sendable {
    // Continuation bytes still to come, and the range that the next of them must lie in.
    private var expected = 0
    private var lower: UInt8 = 0x80
    private var upper: UInt8 = 0xBF

    /// Whether the bytes so far end at the end of a character.
    var isComplete: Bool { expected == 0 }

    /// Takes the bytes from `start` on; false when they cannot be UTF-8.
    mutating func take(_ bytes: [UInt8], from start: Int) -> Bool {
        var index = start
        while index < bytes.count {
            if expected == 0 {
                while index < bytes.count, bytes[index] < 0x80 { index += 1 }
                guard index < bytes.count else { return true }
            }
            guard take(bytes[index]) else { return false }
            index += 1
        }
        return true
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        if expected > 0 {
            guard (lower...upper).contains(byte) else { return false }
            expected -= 1
            (lower, upper) = (0x80, 0xBF)
            return true
        }
        switch byte {
        case 0xC2...0xDF: expected = 1
        case 0xE0: (expected, lower) = (2, 0xA0)
        case 0xED: (expected, upper) = (2, 0x9F)
        case 0xE1...0xEF: expected = 2
        case 0xF0: (expected, lower) = (3, 0x90)
        case 0xF1...0xF3: expected = 3
        case 0xF4: (expected, upper) = (3, 0x8F)
        default: return false
        }
        return true
    }
}
