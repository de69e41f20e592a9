/// One 512-byte header block, read strictly: ustar (POSIX) or GNU.
struct TarHeader {
    static let blockLength = 512

    let name: [UInt8]
    let linkTarget: [UInt8]
    let type: UInt8
    let size: UInt64

    /// Reads a block that is not all zeros.
    init(_ block: [UInt8]) throws(TarRefusal) {
        let isPOSIX = block[257..<265].elementsEqual("ustar\u{0}00".utf8)
        let isGNU = block[257..<265].elementsEqual("ustar  \u{0}".utf8)
        guard isPOSIX || isGNU else { throw TarRefusal(.malformed, "this is not a tar archive (ustar, pax or GNU)") }
        let sum = block.enumerated().reduce(UInt64(0)) { sum, byte in
            sum + (148..<156 ~= byte.offset ? 32 : UInt64(byte.element))
        }
        guard Self.octal(block[148..<156]) == sum else {
            throw TarRefusal(.malformed, "a header of the archive is damaged (checksum)")
        }
        let name = Self.text(block[0..<100])
        // Only POSIX has a prefix; GNU keeps times there.
        let prefix = isPOSIX ? Self.text(block[345..<500]) : []
        self.name = prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
        linkTarget = Self.text(block[157..<257])
        type = block[156] == 0 ? UInt8(ascii: "0") : block[156]
        guard let size = Self.number(block[124..<136]) else {
            throw TarRefusal(.malformed, entry: self.name, "its size is malformed")
        }
        self.size = size
        // What a reader cannot take would stop it in the middle of the archive.
        for (field, what) in [(100..<108, "mode"), (108..<116, "owner"), (116..<124, "group")] {
            guard let number = Self.blankOrNumber(block[field]), number <= UInt64(UInt32.max) else {
                throw TarRefusal(.malformed, entry: self.name, "its \(what) is malformed")
            }
        }
        guard Self.isTime(block[136..<148]) else {
            throw TarRefusal(.malformed, entry: self.name, "its modification time is malformed")
        }
    }

    /// The bytes before the first NUL.
    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// A number in octal, or in GNU's binary form for large ones.
    private static func number(_ field: ArraySlice<UInt8>) -> UInt64? {
        guard let first = field.first, first & 0x80 != 0 else { return octal(field) }
        // 0x80 begins a positive number; 0xff a negative one, which no size is.
        guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
        let value = field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return value <= UInt64(Int64.max) ? value : nil
    }

    /// A number that may be left out.
    private static func blankOrNumber(_ field: ArraySlice<UInt8>) -> UInt64? {
        field.allSatisfy { $0 == 0 || $0 == 32 } ? 0 : number(field)
    }

    /// Whether a field is a time: in octal, left out, or in GNU's binary form, where it may be before 1970.
    private static func isTime(_ field: ArraySlice<UInt8>) -> Bool {
        guard field.first == 0xff else { return blankOrNumber(field) != nil }
        // The sign of the last eight bytes is that of the whole.
        return field.dropLast(8).allSatisfy { $0 == 0xff } && field.suffix(8).first.map { $0 & 0x80 != 0 } == true
    }

    /// Octal digits, led by spaces and ended by spaces or NULs.
    private static func octal(_ field: ArraySlice<UInt8>) -> UInt64? {
        let digits = field.drop { $0 == 32 }.prefix { (48...55).contains($0) }
        let rest = field.drop { $0 == 32 }.dropFirst(digits.count)
        guard !digits.isEmpty, rest.allSatisfy({ $0 == 0 || $0 == 32 }) else { return nil }
        return digits.reduce(0) { $0 << 3 | UInt64($1 - 48) }
    }
}
