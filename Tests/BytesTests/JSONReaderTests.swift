import Bytes
import Testing

struct JSONReaderTests {
    private func refusal(of bytes: [UInt8], limits: JSONLimits = .init()) -> JSONError? {
        do throws(JSONError) {
            _ = try JSONReader.parse(bytes, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("null", JSONValue.null), (" true\n", .bool(true)), ("false", .bool(false)), ("0", .integer(0)),
        ("-0", .integer(0)), ("-12", .integer(-12)), ("9223372036854775807", .integer(.max)),
        ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("1.0", .number(1)), ("1e2", .number(100)), ("1E-2", .number(0.01)), ("0.5e+1", .number(5)),
        ("\"\"", .string("")), (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{c}\n\r\t")),
        (#""\u00e9\u20AC\ud834\udd1e\u0000""#, .string("é€𝄞\0")), ("\"é€𝄞\u{7f}\"", .string("é€𝄞\u{7f}")),
        ("[]", .array([])), ("[ 1 , [ ] ,{}]", .array([.integer(1), .array([]), .object(JSONObject())])),
        (
            #"{"b":1,"a":{"c":null}}"#,
            .object(JSONObject([("b", .integer(1)), ("a", .object(JSONObject([("c", .null)])))]))
        ),
    ])
    func `a correct document is read`(text: String, expected: JSONValue) throws {
        #expect(try JSONReader.parse([UInt8](text.utf8)) == expected)
    }

    @Test(arguments: [
        ("", JSONErrorReason.unexpectedEnd), (" ", .unexpectedEnd), ("\u{feff}1", .unexpectedByte),
        ("1 2", .trailingData),
        ("nul", .invalidLiteral), ("True", .unexpectedByte), ("NaN", .unexpectedByte), ("+1", .unexpectedByte),
        (".5", .unexpectedByte), ("01", .invalidNumber), ("-", .invalidNumber), ("-01", .invalidNumber),
        ("1.", .invalidNumber), ("1e", .invalidNumber), ("1e+", .invalidNumber), ("0x1", .trailingData),
        ("1e999", .numberOutOfRange), ("-1e999", .numberOutOfRange), ("\"", .unexpectedEnd), ("\"\\", .unexpectedEnd),
        ("\"\n\"", .controlCharacter), ("\"\\n\u{1}\"", .controlCharacter), (#""\x41""#, .invalidEscape),
        (#""\u12g4""#, .invalidEscape), (#""\u+123""#, .invalidEscape), (#""\ud800""#, .loneSurrogate),
        (#""\ud800\n""#, .loneSurrogate), (#""\ud800\u0041""#, .loneSurrogate), (#""\udc00""#, .loneSurrogate),
        ("'a'", .unexpectedByte), ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte), ("[1 2]", .unexpectedByte),
        ("[1", .unexpectedEnd), ("{", .unexpectedEnd), ("{\"a\"}", .unexpectedByte), ("{\"a\":1,}", .unexpectedByte),
        ("{a:1}", .unexpectedByte), ("{1:1}", .unexpectedByte), ("{\"a\":1 \"b\":2}", .unexpectedByte),
        ("{\"a\":1,\"a\":2}", .duplicateName), (#"{"a":1,"\u0061":2}"#, .duplicateName), ("[1}", .unexpectedByte),
        ("1//", .trailingData), ("/*1*/", .unexpectedByte), ("\u{b}1", .unexpectedByte), ("1\0", .trailingData),
    ])
    func `a document that is nearly JSON is refused`(text: String, reason: JSONErrorReason) {
        #expect(refusal(of: [UInt8](text.utf8))?.reason == reason)
    }

    @Test(
        arguments: [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf8, 0x88, 0x80, 0x80, 0x80]] as [[UInt8]]
    )
    func `a string that is not UTF-8 is refused, plain and beside an escape`(bytes: [UInt8]) {
        let quote: [UInt8] = [UInt8(ascii: "\"")]
        #expect(refusal(of: quote + bytes + quote)?.reason == .invalidUTF8)
        #expect(refusal(of: quote + [UInt8](#"\n"#.utf8) + bytes + quote)?.reason == .invalidUTF8)
    }

    @Test func `a repeated name is found among many`() {
        let names = (0..<100).map { "\"n\($0)\":0" }
        let once = "{" + names.joined(separator: ",") + "}"
        let twice = "{" + (names + ["\"n42\":1"]).joined(separator: ",") + "}"
        #expect(refusal(of: [UInt8](once.utf8)) == nil)
        #expect(refusal(of: [UInt8](twice.utf8))?.reason == .duplicateName)
    }

    @Test func `depth, length and members are bounded exactly`() {
        let deep = { (count: Int) in
            [UInt8](repeating: UInt8(ascii: "["), count: count) + [UInt8](repeating: UInt8(ascii: "]"), count: count)
        }
        #expect(refusal(of: deep(32)) == nil)
        #expect(refusal(of: deep(33))?.reason == .tooDeep)
        #expect(refusal(of: deep(100_000), limits: JSONLimits(maximumDepth: .max))?.reason == .tooDeep)
        let limits = JSONLimits(maximumBytes: 7, maximumMembers: 3)
        #expect(refusal(of: [UInt8]("[1,2,3]".utf8), limits: limits) == nil)
        #expect(refusal(of: [UInt8]("[1,2,3] ".utf8), limits: limits)?.reason == .tooLong)
        let members = JSONLimits(maximumMembers: 1)
        #expect(refusal(of: [UInt8](#"{"a":1}"#.utf8), limits: members) == nil)
        #expect(refusal(of: [UInt8](#"{"a":1,"b":2}"#.utf8), limits: members)?.reason == .tooManyMembers)
        #expect(refusal(of: [UInt8]("[1,2]".utf8), limits: members)?.reason == .tooManyMembers)
    }

    @Test(arguments: ["[[1],[{}],2]", #"{"a":{"b":[]},"c":"d","e":null}"#, "[0,0,0,0,0]"])
    func `all values of a document together are bounded exactly`(text: String) {
        let count = text.hasPrefix("{") ? 5 : 6
        let bytes = [UInt8](text.utf8)
        #expect(refusal(of: bytes, limits: JSONLimits(maximumValues: count)) == nil)
        #expect(refusal(of: bytes, limits: JSONLimits(maximumValues: count - 1))?.reason == .tooManyValues)
    }

    @Test func `small arrays inside arrays do not get round the bound`() {
        let row = "[" + [String](repeating: "[0]", count: 1_000).joined(separator: ",") + "]"
        let whole = "[" + [String](repeating: row, count: 100).joined(separator: ",") + "]"
        #expect(refusal(of: [UInt8](row.utf8)) == nil)
        #expect(refusal(of: [UInt8](whole.utf8))?.reason == .tooManyValues)
    }

    @Test func `a refusal names the byte`() {
        #expect(refusal(of: [UInt8]("[1, x]".utf8)) == JSONError(reason: .unexpectedByte, offset: 4))
    }

    @Test func `cutting a document anywhere is refused and never crashes`() {
        let document = [UInt8](#"{"a":[1,-2.5e3,true,null,"\ud834\udd1e\n"],"é":{}}"#.utf8)
        #expect(refusal(of: document) == nil)
        for length in 0..<document.count { #expect(refusal(of: [UInt8](document[..<length])) != nil) }
    }

    @Test func `random damage never crashes the reader`() {
        let document = [UInt8](#"{"a":[1,-2.5e3,true,null,"\ud834\udd1e\n"],"é":{"k":"v"}}"#.utf8)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            var damaged = document
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
                    in: 0...255,
                    using: &generator
                )
            }
            if let value = try? JSONReader.parse(damaged) { #expect((try? JSONReader.parse(value.encoded())) == value) }
        }
    }
}
