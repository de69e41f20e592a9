import Bytes
import Testing

struct CBORReaderTests {
    private func read(_ hex: String, limits: CBORLimits = .init()) throws -> Result<CBORValue, CBORError> {
        let bytes = try #require(Hex.decode(hex))
        return Result { () throws(CBORError) in try CBORReader.parse(bytes, limits: limits) }
    }

    @Test(arguments: [
        ("00", CBORValue.unsigned(0)), ("17", .unsigned(23)), ("1818", .unsigned(24)), ("1903e8", .unsigned(1000)),
        ("1a000f4240", .unsigned(1_000_000)), ("1bffffffffffffffff", .unsigned(.max)), ("20", .negative(0)),
        ("3863", .negative(99)), ("3bffffffffffffffff", .negative(.max)), ("40", .bytes([])),
        ("4401020304", .bytes([1, 2, 3, 4])), ("60", .text("")), ("6449455446", .text("IETF")), ("62c3bc", .text("ü")),
        ("80", .array([])), ("83010203", .array([.unsigned(1), .unsigned(2), .unsigned(3)])), ("a0", .map([])),
        ("f4", .bool(false)), ("f5", .bool(true)), ("f6", .null),
        (
            "8301820203820405",
            .array([
                .unsigned(1), .array([.unsigned(2), .unsigned(3)]), .array([.unsigned(4), .unsigned(5)]),
            ])
        ),
        (
            "a26161016162820203",
            .map([
                CBORMember(key: .text("a"), value: .unsigned(1)),
                CBORMember(key: .text("b"), value: .array([.unsigned(2), .unsigned(3)])),
            ])
        ),
    ])
    func `the examples of RFC 8949 that authenticators use`(hex: String, value: CBORValue) throws {
        #expect(try read(hex) == .success(value))
    }

    @Test(arguments: [
        ("1817", CBORError.notShortest), ("1900ff", .notShortest), ("1a0000ffff", .notShortest),
        ("1b00000000ffffffff", .notShortest), ("580101", .notShortest), ("5f4101ff", .notShortest),
        ("9fff", .notShortest), ("bfff", .notShortest), ("1c", .notShortest), ("ff", .unsupported),
        ("", .unexpectedEnd),
        ("18", .unexpectedEnd), ("44010203", .unexpectedEnd), ("5bffffffffffffffff", .unexpectedEnd),
        ("9bffffffffffffffff", .unexpectedEnd), ("bbffffffffffffffff", .unexpectedEnd), ("8201", .unexpectedEnd),
        ("a101", .unexpectedEnd), ("0000", .trailingData), ("c001", .unsupported), ("f97e00", .unsupported),
        ("fb3ff0000000000000", .unsupported), ("f7", .unsupported), ("f818", .unsupported), ("62c328", .badText),
        ("a2010101", .badKey), ("a201010102", .badKey), ("a202010102", .badKey), ("a22001" + "0102", .badKey),
        ("a26161016001", .badKey), ("a2616201616101", .badKey), ("a16180", .badText), ("a14001", .badKey),
        ("a1f501", .badKey), ("a18001", .badKey),
    ])
    func `what is not canonical is refused with its reason`(hex: String, error: CBORError) throws {
        #expect(try read(hex) == .failure(error))
    }

    @Test func `the keys of a COSE key stand in their order`() throws {
        let value = try read("a301020326200" + "1").get()
        #expect(value[1]?.integer == 2)
        #expect(value[3]?.integer == -7)
        #expect(value[-1]?.integer == 1)
        #expect(value[-2] == nil)
        #expect(value["fmt"] == nil)
    }

    @Test func `depth, items and bytes are bounded at the exact number`() throws {
        #expect(try read("8181818101").get() == .array([.array([.array([.array([.unsigned(1)])])])]))
        #expect(try read("818181818101") == .failure(.tooDeep))
        #expect(try read("81" + String(repeating: "81", count: 8000) + "00") == .failure(.tooDeep))
        let full = "98" + "7f" + String(repeating: "00", count: 127)
        #expect(try read(full).get() == .array(Array(repeating: .unsigned(0), count: 127)))
        #expect(try read("9880" + String(repeating: "00", count: 128)) == .failure(.tooManyItems))
        var limits = CBORLimits()
        limits.maximumBytes = 4
        #expect(try read("43010203", limits: limits).get() == .bytes([1, 2, 3]))
        #expect(try read("4401020304", limits: limits) == .failure(.tooLong))
    }

    @Test func `an item is read from the front of bytes, and the rest is given back`() throws {
        let (value, rest) = try CBORReader.parsePrefix([0x82, 1, 2, 0xff, 0xfe])
        #expect(value == .array([.unsigned(1), .unsigned(2)]))
        #expect(Array(rest) == [0xff, 0xfe])
    }

    @Test func `no cut and no changed byte of a good item is a crash`() throws {
        let good = try #require(Hex.decode("a363666d74646e6f6e656761747453746d74a068617574684461746143010203"))
        #expect(try CBORReader.parse(good)["authData"]?.byteString == [1, 2, 3])
        for count in 0..<good.count {
            #expect(throws: CBORError.self) { try CBORReader.parse([UInt8](good.prefix(count))) }
        }
        for position in good.indices {
            for value in UInt8.min...UInt8.max {
                var changed = good
                changed[position] = value
                _ = try? CBORReader.parse(changed)
            }
        }
    }
}
