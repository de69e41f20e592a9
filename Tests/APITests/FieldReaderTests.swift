import Bytes
import Core
import HTTP
import Testing

@testable import API

struct FieldReaderTests {
    private func faults(_ json: String, _ read: (inout FieldReader) -> Void) throws -> [String] {
        let value = try JSONReader.parse(Array(json.utf8))
        var reader = FieldReader(try #require(value.object))
        read(&reader)
        do throws(ProblemError) { try reader.finish() } catch { return error.problem.pointers.map(\.pointer) }
        return []
    }

    @Test(arguments: [
        (#"{"s":"x"}"#, []), (#"{}"#, ["/s"]), (#"{"s":null}"#, ["/s"]), (#"{"s":""}"#, ["/s"]), (#"{"s":1}"#, ["/s"]),
        (#"{"s":"12345678901"}"#, ["/s"]), (#"{"s":"a\u0000"}"#, ["/s"]), (#"{"s":"x","t":1}"#, ["/t"]),
        (#"{"s":"x","a/b~":1}"#, ["/a~1b~0"]),
    ])
    func `a required string is held to its bounds`(json: String, expected: [String]) throws {
        #expect(try faults(json) { _ = $0.string("s", maximum: 10) } == expected)
    }

    @Test(arguments: [
        ("", false), (" ", false), ("\\t\\n", false), ("\\u0007", false), ("\\u00a0\\u3000", false), ("\\u200b", false),
        ("\\ufeff \\u2060", false), ("\\u200d\\u200c", false), ("\\u00ad", false), ("\\u3164", false),
        ("\\u2800", false),
        ("\\ue000", false), ("\\udb40\\udc41", false), ("a\\u001b[31m", false), ("a\\nb", false), ("a\\u2028b", false),
        ("01234567890", false), ("a", true), ("  ab c\\u00a0\\n", true), ("\\u200b.\\ufeff", true), ("é", true),
        ("任务", true),
        ("\\u2764\\ufe0f", true), (" 0123456789 ", true),
    ])
    func `a name for people is trimmed and must be visible`(name: String, isGood: Bool) throws {
        #expect(try faults("{\"n\":\"\(name)\"}") { _ = $0.name("n", maximum: 10) } == (isGood ? [] : ["/n"]))
    }

    @Test(arguments: [
        ("  ab c\u{a0}\n", "ab c"), ("\u{200b}.\u{feff}", "."), ("\u{2764}\u{fe0f} ", "\u{2764}\u{fe0f}"), (" ", ""),
        ("👩‍👧", "👩‍👧"),
    ])
    func `of a name only the space around it is taken away`(text: String, expected: String) {
        #expect(Array(PlainName.trimmed(text).unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test func `a name is a string, and may be left out where it is not required`() throws {
        #expect(try faults(#"{"n":1}"#) { _ = $0.name("n", maximum: 10) } == ["/n"])
        #expect(try faults("{}") { _ = $0.name("n", maximum: 10) } == ["/n"])
        #expect(try faults("{}") { _ = $0.name("n", maximum: 10, required: false) } == [])
    }

    @Test(arguments: [
        ("1", true), ("9", true), ("0", false), ("10", false), ("1.5", false), ("\"1\"", false), ("1e2", false),
        ("99999999999999999999999999", false), ("null", true), ("true", false),
    ])
    func `an integer is held to its range`(number: String, isGood: Bool) throws {
        #expect(try faults("{\"n\":\(number)}") { _ = $0.integer("n", in: 1...9) } == (isGood ? [] : ["/n"]))
    }

    @Test(arguments: [
        (#"["a"]"#, []), (#"[]"#, ["/a"]), (#"["a",1]"#, ["/a/1"]), (#"["abcd"]"#, ["/a/0"]),
        (#"["a\u0000"]"#, ["/a/0"]),
        (#"["a","b","c"]"#, ["/a"]), (#""a""#, ["/a"]), (#"null"#, ["/a"]),
    ])
    func `an array of strings is held to its bounds`(json: String, expected: [String]) throws {
        #expect(try faults("{\"a\":\(json)}") { _ = $0.strings("a", count: 1...2, maximum: 3) } == expected)
    }

    @Test(arguments: [
        (#"{"A_1":"x"}"#, []), (#"{"1A":"x"}"#, ["/e/1A"]), (#"{"":"x"}"#, ["/e/"]), (#"{"A=B":"x"}"#, ["/e/A=B"]),
        (#"{"A":1}"#, ["/e/A"]), (#"{"A":"\u0000"}"#, ["/e/A"]), (#"[]"#, ["/e"]), (#"{"A":"","B":"","C":""}"#, ["/e"]),
    ])
    func `a map of variables is held to its bounds`(json: String, expected: [String]) throws {
        #expect(try faults("{\"e\":\(json)}") { _ = $0.stringMap("e", count: 2, maximum: 3) } == expected)
    }

    @Test func `an id of another noun is refused`() throws {
        let id = JobID(at: Timestamp(milliseconds: 1_800_000_000_000))
        #expect(try faults("{\"i\":\"\(id)\"}") { _ = $0.id("i", JobNoun.self) } == [])
        #expect(try faults("{\"i\":\"\(id)\"}") { _ = $0.id("i", UserNoun.self) } == ["/i"])
    }
}
