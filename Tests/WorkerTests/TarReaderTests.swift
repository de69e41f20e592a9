import Testing

@testable import Worker

/// Feeds an archive in pieces and gives the refusal, if any.
private func check(_ bytes: [UInt8], pieces: Int = 100_000, limits: TarLimits = TarLimits()) -> TarRefusal? {
    var reader = TarReader(limits: limits)
    do throws(TarRefusal) {
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            try reader.feed(Array(bytes[start..<min(start + pieces, bytes.count)]))
        }
        try reader.finish()
        return nil
    } catch {
        return error
    }
}

private func archive(_ fill: (inout TarArchive) -> Void) -> [UInt8] {
    var archive = TarArchive()
    fill(&archive)
    return archive.ended
}

/// A named way to write an archive.
private struct Specimen: Sendable, CustomTestStringConvertible {
    let name: String
    let reason: TarRefusal.Reason
    let fill: @Sendable (inout TarArchive) -> Void

    var testDescription: String { name }

    init(
        _ name: String,
        _ reason: TarRefusal.Reason = .forbidden,
        _ fill: @escaping @Sendable (inout TarArchive) -> Void
    ) {
        self.name = name
        self.reason = reason
        self.fill = fill
    }
}

private let hostile = [
    Specimen("an absolute name") { $0.add("/etc/passwd") },
    Specimen("a name that leads upwards") { $0.add("a/../../x") },
    Specimen("a name that is only upwards") { $0.add("..", type: "5") },
    Specimen("a prefix that leads upwards") { $0.add("x", prefix: "../up") },
    Specimen("an absolute prefix") { $0.add("x", prefix: "/etc") },
    Specimen("an empty component") { $0.add("a//b") },
    Specimen("an empty name", .malformed) { $0.add("") },
    Specimen("a pax path that leads upwards") {
        $0.addExtended([("path", "../x")])
        $0.add("innocent")
    },
    Specimen("a pax path that is absolute") {
        $0.addExtended([("path", "/x")])
        $0.add("innocent")
    },
    Specimen("a GNU long name that leads upwards") {
        $0.addLong("../" + String(repeating: "a", count: 200), type: "L")
        $0.add("innocent", isGNU: true)
    },
    Specimen("a symbolic link to an absolute place") { $0.add("l", type: "2", target: "/etc") },
    Specimen("a symbolic link out of the root") { $0.add("l", type: "2", target: "..") },
    Specimen("a symbolic link out from below") { $0.add("a/b/l", type: "2", target: "../../../x") },
    Specimen("a symbolic link that goes in and far out") { $0.add("l", type: "2", target: "a/../../b") },
    Specimen("a pax link target that leads out") {
        $0.addExtended([("linkpath", "../../x")])
        $0.add("l", type: "2", target: "ok")
    },
    Specimen("a GNU long link target that leads out") {
        $0.addLong("../" + String(repeating: "a", count: 200), type: "K")
        $0.add("l", type: "2", target: "ok", isGNU: true)
    },
    Specimen("a link in the root's place") { $0.add("./", type: "2", target: "a") },
    Specimen("a file in the root's place") { $0.add(".") },
    Specimen("a hard link in the root's place") { $0.add("./.", type: "1", target: "a") },
    Specimen("a file called by a dot", .malformed) { $0.add("a/.") },
    Specimen("a link called by a dot", .malformed) { $0.add("a/b/.", type: "2", target: "c") },
    Specimen("a time that is no number", .malformed) { $0.add("f") { $0[140] = UInt8(ascii: "z") } },
    Specimen("a binary time beyond 63 bits", .malformed) { archive in
        archive.add("f") { block in
            for index in 136..<148 { block[index] = 0xff }
            block[136] = 0x80
        }
    },
    Specimen("a negative time beyond 63 bits", .malformed) { archive in
        archive.add("f") { block in
            for index in 136..<148 { block[index] = 0xff }
            block[140] = 0x7f
        }
    },
    Specimen("a mode that is no number", .malformed) { $0.add("f") { $0[102] = UInt8(ascii: "9") } },
    Specimen("an owner that is no number", .malformed) { $0.add("f") { $0[110] = UInt8(ascii: "x") } },
    Specimen("a group beyond 32 bits", .malformed) { archive in
        archive.add("f") { block in
            for index in 116..<124 { block[index] = 0xff }
            block[116] = 0x80
        }
    },
    Specimen("a pax time that is no number", .malformed) {
        $0.addExtended([("mtime", "abc")])
        $0.add("f")
    },
    Specimen("a pax time beyond 63 bits", .malformed) {
        $0.addExtended([("mtime", "99999999999999999999")])
        $0.add("f")
    },
    Specimen("a pax owner that is no number", .malformed) {
        $0.addExtended([("uid", "-1")])
        $0.add("f")
    },
    Specimen("a hard link to an absolute place") { $0.add("h", type: "1", target: "/etc/passwd") },
    Specimen("a hard link upwards") { $0.add("h", type: "1", target: "../x") },
    Specimen("a hard link to the root") { $0.add("h", type: "1", target: "./") },
    Specimen("a character device") { $0.add("d", type: "3") },
    Specimen("a block device") { $0.add("d", type: "4") },
    Specimen("a FIFO") { $0.add("p", type: "6") },
    Specimen("a sparse file") { $0.add("s", type: "S") },
    Specimen("a continuation of another volume") { $0.add("m", type: "M") },
    Specimen("a pax sparse map") {
        $0.addExtended([("GNU.sparse.name", "../x")])
        $0.add("innocent")
    },
    Specimen("a pax character set") {
        $0.addExtended([("hdrcharset", "BINARY")])
        $0.add("innocent")
    },
    Specimen("a global path") {
        $0.addExtended([("path", "x")], type: "g")
        $0.add("innocent")
    },
    Specimen("two extended headers", .malformed) {
        $0.addExtended([("path", "a")])
        $0.addExtended([("path", "b")])
        $0.add("innocent")
    },
    Specimen("an extended header without an entry", .malformed) { $0.addExtended([("path", "a")]) },
    Specimen("a pax record with a wrong length", .malformed) {
        $0.add("x", type: "x", contents: Array("99 path=a\n".utf8))
        $0.add("innocent")
    },
    Specimen("a pax record without a newline", .malformed) {
        $0.add("x", type: "x", contents: Array("9 path=ab".utf8))
        $0.add("innocent")
    },
    Specimen("a pax size that is negative", .malformed) {
        $0.addExtended([("size", "-1")])
        $0.add("innocent")
    },
    Specimen("a pax size beyond every limit", .tooLarge) {
        $0.addExtended([("size", "9223372036854775807")])
        $0.add("innocent")
    },
    Specimen("a pax path with a NUL byte", .malformed) {
        $0.addExtended([("path", "a\u{0}b")])
        $0.add("innocent")
    },
    Specimen("an extended header that is far too long", .tooLarge) { $0.add("x", type: "x", size: 1 << 30) },
    Specimen("a size in negative binary", .malformed) {
        $0.add("f") { block in for index in 124..<136 { block[index] = 0xff } }
    },
    Specimen("a binary size beyond every limit", .tooLarge) {
        $0.add("f") { block in
            for index in 124..<136 { block[index] = 0 }
            block[124] = 0x80
            block[128] = 0x7f
        }
    },
    Specimen("a size that is no number", .malformed) { $0.add("f") { $0[124] = UInt8(ascii: "x") } },
    Specimen("a directory with contents", .malformed) { $0.add("d", type: "5", contents: [1]) },
    Specimen("a file with the name of a directory", .malformed) { $0.add("d/", contents: [1]) },
    Specimen("a name over the kernel's limit", .tooLarge) {
        $0.addExtended([("path", String(repeating: "a/", count: 2_100) + "b")])
        $0.add("innocent")
    },
    Specimen("a component over the kernel's limit", .tooLarge) {
        $0.addExtended([("path", String(repeating: "a", count: 256))])
        $0.add("innocent")
    },
    Specimen("an unknown magic", .malformed) { $0.add("f") { $0[257] = 0 } },
    Specimen("zeros inside the archive", .malformed) {
        $0.addRaw([UInt8](repeating: 0, count: 512))
        $0.add("f")
    },
    Specimen("an archive behind the archive", .malformed) {
        $0.addRaw([UInt8](repeating: 0, count: 1_024))
        $0.add("f")
    },
]

@Suite struct TarReaderTests {
    @Test(arguments: hostile)
    private func `a hostile archive is refused for its reason, however it is cut`(_ specimen: Specimen) {
        let bytes = archive(specimen.fill)
        for pieces in [1, 511, 512, 513, 100_000] {
            #expect(check(bytes, pieces: pieces)?.reason == specimen.reason)
        }
    }

    @Test(arguments: [1, 511, 512, 513, 100_000])
    func `an ordinary archive passes, however it is cut`(_ pieces: Int) {
        let bytes = archive { archive in
            archive.add("./", type: "5")
            archive.add("./a.txt", contents: Array("hello".utf8))
            archive.add("empty")
            archive.add("d/", type: "5")
            archive.add("d/l", type: "2", target: "../a.txt")
            archive.add("d/e/up", type: "2", target: "../../a.txt")
            archive.add("h", type: "1", target: "./a.txt")
            archive.add("x", prefix: "a/long/prefix")
            archive.addExtended([("comment", "made by a version control system")], type: "g")
            archive.addExtended([("path", String(repeating: "p", count: 200)), ("mtime", "1.5"), ("SCHILY.dev", "1")])
            archive.add("short", contents: [UInt8](repeating: 1, count: 512))
            archive.addExtended([("size", "3")])
            archive.add("sized", contents: [1, 2, 3], size: 3)
            archive.addLong(String(repeating: "q", count: 200), type: "L")
            archive.addLong(String(repeating: "r", count: 200), type: "K")
            archive.add("short", type: "2", target: "short", isGNU: true)
        }
        #expect(check(bytes, pieces: pieces) == nil)
        #expect(check(bytes + [UInt8](repeating: 0, count: 8_192), pieces: pieces) == nil)
    }

    @Test func `numbers in every form that tar writes pass`() {
        let bytes = archive { archive in
            archive.add("negative time") { block in for index in 136..<148 { block[index] = 0xff } }
            archive.add("far time") { block in
                for index in 136..<148 { block[index] = 0 }
                block[136] = 0x80
                block[142] = 1
            }
            archive.add("blank") { block in
                for index in [100..<124, 136..<148].joined() { block[index] = 0 }
            }
            archive.add("spaces") { block in for index in 136..<148 { block[index] = 32 } }
            archive.add("...")
            archive.add("a/..b.")
            archive.add("a/.", type: "5")
            archive.add(".", type: "5")
            let times = [("mtime", "-1.5"), ("atime", "1790000000.123456789"), ("ctime", "1.")]
            archive.addExtended(times + [("uid", "4294967295"), ("gid", "0")])
            archive.add("extended")
        }
        #expect(check(bytes) == nil)
    }

    @Test func `entries and bytes are counted`() throws {
        var reader = TarReader()
        try reader.feed(
            archive { archive in
                archive.add("d/", type: "5")
                archive.add("d/a", contents: [1, 2, 3])
                archive.add("d/b", contents: [UInt8](repeating: 0, count: 1_000))
            }
        )
        try reader.finish()
        #expect(reader.entries == 3)
        #expect(reader.totalBytes == 1_003)
    }

    @Test func `every limit holds at its edge`() {
        var limits = TarLimits()
        limits.entries = 2
        limits.fileBytes = 10
        limits.totalBytes = 15
        func verdict(_ sizes: [Int]) -> TarRefusal.Reason? {
            let bytes = archive { archive in
                for (index, size) in sizes.enumerated() {
                    archive.add("f\(index)", contents: [UInt8](repeating: 1, count: size))
                }
            }
            return check(bytes, limits: limits)?.reason
        }
        #expect(verdict([10, 5]) == nil)
        #expect(verdict([11]) == .tooLarge)
        #expect(verdict([10, 6]) == .tooLarge)
        #expect(verdict([1, 1, 1]) == .tooLarge)
    }

    @Test func `headers without entries do not go on for ever`() {
        var limits = TarLimits()
        limits.entries = 2
        let bytes = archive { archive in
            for _ in 0..<20 { archive.addExtended([("comment", "x")], type: "g") }
            archive.add("f")
        }
        #expect(check(bytes, limits: limits)?.reason == .tooLarge)
        limits.entries = 20
        #expect(check(bytes, limits: limits) == nil)
    }

    @Test func `a flipped bit in a header is noticed`() {
        var bytes = archive { $0.add("name", contents: [1]) }
        #expect(check(bytes) == nil)
        bytes[2] ^= 1
        #expect(check(bytes)?.reason == .malformed)
    }

    @Test func `an archive that is cut anywhere is not whole`() {
        let bytes = archive { $0.add("name", contents: [1, 2, 3]) }
        #expect(check(bytes) == nil)
        for length in stride(from: 0, to: bytes.count, by: 64) {
            #expect(check(Array(bytes.prefix(length)))?.reason == .cut)
        }
    }

    @Test func `the refusal names the entry on one printable line`() {
        let refusal = check(archive { $0.add("bad\nname", type: "6") })
        #expect(refusal?.description == "entry \"bad?name\": it is a FIFO")
    }
}
