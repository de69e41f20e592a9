import Bytes
import Core
import Operations
import Platform
import Testing

@Suite struct BreachedPasswordFileTests {
    private static func digest(_ number: UInt64) -> [UInt8] {
        var state = number
        // Spread over the whole range, and always the same.
        return (0..<20).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    private static func write(_ lines: [String], end: String = "\n", _ directory: TemporaryDirectory) throws -> String {
        let path = "\(directory.path)/leaked"
        try Files.writeAtomically(path, Array((lines.joined(separator: "\n") + end).utf8))
        return path
    }

    @Test(arguments: [1, 2, 3, 7, 100, 5_000])
    func `every hash of a list is found, and none that is not on it`(count: Int) throws {
        let directory = try TemporaryDirectory()
        let listed = (0..<UInt64(count)).map { Self.digest($0) }
        let lines = listed.enumerated().map { "\(Hex.encode($1).uppercased()):\($0 * 37 % 100_003)" }.sorted()
        let list = try BreachedPasswordFile(Self.write(lines, directory))
        for digest in listed { #expect(try list.contains(sha1: digest)) }
        for number in UInt64(count)..<UInt64(count) + 500 { #expect(try !list.contains(sha1: Self.digest(number))) }
        #expect(try !list.contains(sha1: [UInt8](repeating: 0, count: 20)))
        #expect(try !list.contains(sha1: [UInt8](repeating: 0xff, count: 20)))
    }

    @Test(arguments: [
        ("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824", "\n"),
        ("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8:9545824", "\n"),
        ("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8", ""), ("5BAA61E4C9B93F3F", "\n"),
        ("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:1\r", "\n"),
    ])
    func `the forms in which such lists are handed on are read`(line: String, end: String) throws {
        let directory = try TemporaryDirectory()
        let list = try BreachedPasswordFile(Self.write([line], end: end, directory))
        // SHA-1 of "password".
        let known = try #require(Hex.decode("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8"))
        #expect(try list.contains(sha1: known))
        #expect(try !list.contains(sha1: known.reversed()))
    }

    @Test(arguments: [
        "", "\n", "password\n", "5BAA61E4C9B93F\n", "B\nA\n",
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:1\n00AA61E4C9B93F3F0682250B6CF8331B7EE68FD8:1\n",
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:1\n\n",
    ])
    func `what is no sorted list is refused before it is asked`(text: String) throws {
        let directory = try TemporaryDirectory()
        let path = try Self.write([], end: text, directory)
        #expect(throws: BreachedPasswordFileError.self) { _ = try BreachedPasswordFile(path) }
        #expect(throws: PlatformError.self) { _ = try BreachedPasswordFile("\(path).missing") }
        #expect(throws: PlatformError.self) { _ = try BreachedPasswordFile(directory.path) }
    }

    @Test func `a list is replaced while it is in use, and one that breaks or goes is an error and no permission`()
        throws
    {
        let directory = try TemporaryDirectory()
        let lines = (0..<UInt64(50)).map { "\(Hex.encode(Self.digest($0)).uppercased()):1" }.sorted()
        let path = try Self.write(lines, directory)
        let list = try BreachedPasswordFile(path)
        #expect(try !list.contains(sha1: Self.digest(99)))
        _ = try Self.write(["\(Hex.encode(Self.digest(99))):1"], directory)
        #expect(try list.contains(sha1: Self.digest(99)))
        _ = try Self.write([String](repeating: "not a hash at all", count: 50), directory)
        #expect(throws: BreachedPasswordFileError.self) { try list.contains(sha1: Self.digest(1)) }
        // An update that was cut off, to nothing or in the middle of its first line.
        for rest in ["", "5BAA61E4C9B9"] {
            try Files.writeAtomically(path, Array(rest.utf8))
            #expect(throws: BreachedPasswordFileError.self) { try list.contains(sha1: Self.digest(1)) }
        }
        _ = try Self.write(lines, directory)
        #expect(try list.contains(sha1: Self.digest(1)))
        try Files.remove(path)
        #expect(throws: PlatformError.self) { try list.contains(sha1: Self.digest(1)) }
    }
}
