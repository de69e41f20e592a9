import Bytes

/// Makes the identifiers of one loop's requests: unique, not secret, and cheap.
struct RequestIDs {
    private let seed = UInt64.random(in: .min ... .max)
    private var state = UInt64.random(in: .min ... .max)

    mutating func next() -> String {
        // splitmix64: one addition and a mix instead of a system call for each request.
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return "req_" + Crockford32.encode(high: mixed ^ (mixed >> 31), low: seed ^ state)
    }
}
