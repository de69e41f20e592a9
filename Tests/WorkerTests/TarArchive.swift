/// Writes tar archives for tests, also ones that no sane program writes.
struct TarArchive {
    private(set) var bytes: [UInt8] = []

    /// Adds a header block with a right checksum, and contents with their padding.
    mutating func add(
        _ name: String,
        type: Character = "0",
        contents: [UInt8] = [],
        size: UInt64? = nil,
        target: String = "",
        prefix: String = "",
        isGNU: Bool = false,
        damage: (inout [UInt8]) -> Void = { _ in }
    ) {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        put(String(name.prefix(100)), at: 0)
        put("0000644", at: 100)
        put("0001750", at: 108)
        put("0001750", at: 116)
        put(Self.octal(size ?? UInt64(contents.count), width: 11), at: 124)
        put("00000000000", at: 136)
        block[156] = type.asciiValue ?? 0
        put(String(target.prefix(100)), at: 157)
        put(isGNU ? "ustar  " : "ustar\u{0}00", at: 257)
        if !isGNU { put(prefix, at: 345) }
        damage(&block)
        for index in 148..<156 { block[index] = 32 }
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        put(Self.octal(sum, width: 6) + "\u{0} ", at: 148)
        bytes += block
        bytes += contents
        bytes += [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
    }

    /// Adds a pax extended header for the next entry.
    mutating func addExtended(_ records: [(String, String)], type: Character = "x") {
        let body = records.reduce(into: "") { $0 += Self.record($1.0, $1.1) }
        add("PaxHeaders/x", type: type, contents: Array(body.utf8))
    }

    /// Adds a GNU long name (`L`) or long link target (`K`) for the next entry.
    mutating func addLong(_ text: String, type: Character) {
        add("././@LongLink", type: type, contents: Array(text.utf8) + [0], isGNU: true)
    }

    /// Adds raw bytes.
    mutating func addRaw(_ raw: [UInt8]) { bytes += raw }

    /// The archive with its two blocks of zeros.
    var ended: [UInt8] { bytes + [UInt8](repeating: 0, count: 1_024) }

    private static func octal(_ value: UInt64, width: Int) -> String {
        let digits = String(value, radix: 8)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func record(_ key: String, _ value: String) -> String {
        let rest = key.utf8.count + value.utf8.count + 3
        var length = rest + 1
        while String(length).utf8.count + rest != length { length = String(length).utf8.count + rest }
        return "\(length) \(key)=\(value)\n"
    }
}
