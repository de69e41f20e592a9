/// Makes the identifiers of one loop's requests: unique, not secret, and cheap.
struct RequestIDs {
    private static let alphabet = [UInt8]("0123456789abcdefghjkmnpqrstvwxyz".utf8)
    // A counter from a random start, spread by an odd factor over 55 bits: a permutation, so no value comes twice.
    private var counter = UInt64.random(in: .min ... .max)

    /// The next identifier; its 15 bytes fit into a String without memory of its own.
    mutating func next() -> String {
        counter &+= 1
        var bits = (counter &* 0x9E37_79B9_7F4A_7C15) << 9
        return unsafe String(unsafeUninitializedCapacity: 15) { buffer in
            var index = 0
            for byte in "req_".utf8 {
                unsafe buffer[index] = byte
                index += 1
            }
            while index < 15 {
                unsafe buffer[index] = Self.alphabet[Int(bits >> 59)]
                bits <<= 5
                index += 1
            }
            return 15
        }
    }
}
