import Bytes

/// A version 4 UUID in its text form, from the system's random source.
func randomUUID() -> String {
    var generator = SystemRandomNumberGenerator()
    return uuid(high: generator.next(), low: generator.next())
}

/// The version 4 UUID with these 128 bits, less the six that say what it is.
func uuid(high: UInt64, low: UInt64) -> String {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(high & ~0xf000 | 0x4000)
    bytes.appendBigEndian(low & ~(0b11 << 62) | 0b10 << 62)
    let parts = [bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10..<16]]
    return parts.map { Hex.encode($0) }.joined(separator: "-")
}
