import Bytes

/// The records of a pax extended header that matter here: `LENGTH KEYWORD=VALUE\n`, repeated.
struct PaxRecords {
    private(set) var path: [UInt8]?
    private(set) var linkTarget: [UInt8]?
    private(set) var size: UInt64?

    /// What may stand in an extended header without changing where or how large an entry is.
    private static let harmless: Set<String> = ["uname", "gname", "comment"]
    /// Vendors' metadata, which extraction without `--xattrs` ignores.
    private static let harmlessPrefixes = ["SCHILY.", "LIBARCHIVE.", "RHT.", "MSWINDOWS."]

    /// Reads the body of an extended header; a global one must not place or size entries.
    init(_ body: [UInt8], isGlobal: Bool) throws(TarRefusal) {
        var rest = body[...]
        while !rest.isEmpty {
            let (key, value) = try Self.next(&rest)
            switch key {
            case "path" where !isGlobal: path = value
            case "linkpath" where !isGlobal: linkTarget = value
            case "size" where !isGlobal:
                guard let number = Self.number(value[...]) else { throw Self.malformed(key) }
                size = number
            case "mtime", "atime", "ctime":
                guard Self.isTime(value) else { throw Self.malformed(key) }
            case "uid", "gid":
                guard let number = Self.number(value[...]), number <= UInt64(UInt32.max) else {
                    throw Self.malformed(key)
                }
            default:
                guard Self.harmless.contains(key) || Self.harmlessPrefixes.contains(where: key.hasPrefix) else {
                    let shown = TarRefusal.quoted(Array(key.utf8))
                    throw TarRefusal(
                        .forbidden,
                        "an extended header of the archive uses \(shown), which is not allowed"
                    )
                }
            }
        }
    }

    private static func malformed(_ key: String) -> TarRefusal {
        TarRefusal(.malformed, "an extended header of the archive has a malformed \(key)")
    }

    /// Decimal digits, as many as 63 bits hold.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }),
            let number = Int64(String(decoding: digits, as: UTF8.self))
        else { return nil }
        return UInt64(number)
    }

    /// Seconds since 1970, maybe before, maybe with a fraction.
    private static func isTime(_ value: [UInt8]) -> Bool {
        let digits = value.first == UInt8(ascii: "-") ? value.dropFirst() : value[...]
        let parts = digits.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return number(parts[0]) != nil && parts.dropFirst().allSatisfy { $0.allSatisfy { (48...57).contains($0) } }
    }

    private static func next(_ rest: inout ArraySlice<UInt8>) throws(TarRefusal) -> (String, [UInt8]) {
        let damaged = TarRefusal(.malformed, "an extended header of the archive is damaged")
        let digits = rest.prefix { (48...57).contains($0) }
        // Seven digits are above any header that passed its limit.
        guard (1...7).contains(digits.count), rest.dropFirst(digits.count).first == 32 else { throw damaged }
        let length = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        guard length > digits.count + 1, length <= rest.count else { throw damaged }
        let record = rest.prefix(length).dropFirst(digits.count + 1)
        guard record.last == UInt8(ascii: "\n"), let equals = record.firstIndex(of: UInt8(ascii: "=")),
            let key = String(strictUTF8: record[..<equals]), !key.isEmpty
        else { throw damaged }
        rest = rest.dropFirst(length)
        return (key, Array(record[(equals + 1)...].dropLast()))
    }
}
