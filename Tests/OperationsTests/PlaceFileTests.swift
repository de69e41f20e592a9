import Core
import Operations
import Platform
import TestSupport
import Testing

@Suite struct PlaceFileTests {
    private static let zeros = [UInt8](repeating: 0, count: 12)

    private static func place(_ country: String?, _ latitude: Double, _ longitude: Double) -> MMDBWriter.Value {
        var members: [(String, MMDBWriter.Value)] = []
        if let country { members.append(("country", .map([("iso_code", .text(country))]))) }
        members.append(
            ("location", .map([("latitude", .double(latitude)), ("longitude", .double(longitude))]))
        )
        return .map(members)
    }

    private static func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let directory = try TestDirectory.make("places")
        defer { try? Files.removeTree(directory) }
        try Files.writeAtomically("\(directory)/places.mmdb", bytes)
        try body("\(directory)/places.mmdb")
    }

    private static func cities() -> [UInt8] {
        var writer = MMDBWriter()
        writer.add(zeros + [192, 0, 2, 0], 96 + 24, place("DE", 52.5, 13.4))
        writer.add(zeros + [198, 51, 100, 0], 96 + 24, place("AU", -33.9, 151.2))
        writer.add(zeros + [203, 0, 113, 0], 96 + 25, place(nil, 91, 0))
        writer.add(zeros + [203, 0, 113, 128], 96 + 25, place("xx", 1, 1))
        writer.add([0x20, 0x01, 0x0d, 0xb8] + zeros, 32, place("FR", 48.9, 2.4))
        return writer.file(type: "GeoLite2-City")
    }

    @Test(arguments: [
        ("192.0.2.77", "DE", 52.5), ("198.51.100.1", "AU", -33.9), ("2001:db8::1", "FR", 48.9),
        ("203.0.113.200", nil, 1.0),
    ])
    func `an address has the place of its network`(address: String, country: String?, latitude: Double) throws {
        try Self.withFile(Self.cities()) { path in
            let place = try #require(try PlaceFile(path).place(of: address))
            #expect(place.country == country && place.position?.latitude == latitude)
        }
    }

    @Test(arguments: ["192.0.3.1", "2001:db9::1", "localhost", "", "/run/socket", "127.0.0.1"])
    func `what is in no network of the file, or no address, has no place`(address: String) throws {
        try Self.withFile(Self.cities()) { path in
            let place = try PlaceFile(path).place(of: address)
            #expect(place == nil)
        }
    }

    @Test func `a position that is none on earth is left out`() throws {
        try Self.withFile(Self.cities()) { path in
            let place = try PlaceFile(path).place(of: "203.0.113.1")
            #expect(place == Place(country: nil, position: nil))
        }
    }

    @Test func `a newer file takes its place while it is used`() throws {
        try Self.withFile(Self.cities()) { path in
            let file = try PlaceFile(path)
            let before = try file.place(of: "192.0.2.1")
            #expect(before?.country == "DE")
            var writer = MMDBWriter()
            writer.add(Self.zeros + [192, 0, 2, 0], 96 + 24, Self.place("PL", 52.2, 21.0))
            try Files.writeAtomically(path, writer.file(type: "GeoLite2-City"))
            let after = try file.place(of: "192.0.2.1")
            #expect(after?.country == "PL")
        }
    }

    @Test(arguments: ["", "no map at all", "cut"])
    func `what is no map of networks is refused at start`(content: String) throws {
        let bytes = content == "cut" ? Array(Self.cities().prefix(400)) : Array(content.utf8)
        try Self.withFile(bytes) { path in
            #expect(throws: PlaceFileError.self) { _ = try PlaceFile(path) }
        }
    }

    @Test func `a map of something else, and a file that is not there, are refused at start`() throws {
        var writer = MMDBWriter()
        writer.add(
            Self.zeros + [192, 0, 2, 0],
            96 + 24,
            .map([("autonomous_system_number", .number(64_500, type: 6))])
        )
        try Self.withFile(writer.file(type: "GeoLite2-ASN")) { path in
            #expect(throws: PlaceFileError.self) { _ = try PlaceFile(path) }
            #expect(throws: PlaceFileError.self) { _ = try PlaceFile(path + ".missing") }
        }
    }
}
