import Bytes
import Testing

struct JSONWriterTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func `commas fall between elements and members only`() {
        let written = text { writer in
            writer.beginObject()
            writer.key("empty")
            writer.beginObject()
            writer.endObject()
            writer.key("list")
            writer.beginArray()
            writer.integer(1)
            writer.beginArray()
            writer.endArray()
            writer.null()
            writer.raw([UInt8]("{}".utf8))
            writer.endArray()
            writer.member("last", true)
            writer.endObject()
        }
        #expect(written == #"{"empty":{},"list":[1,[],null,{}],"last":true}"#)
    }

    @Test func `members take every kind of value`() {
        let written = text { writer in
            writer.beginObject()
            writer.member("text", "a")
            writer.member("count", 5)
            writer.member("wide", Int64.min)
            writer.member("unsigned", UInt64.max)
            writer.member("flag", false)
            writer.member("at", Timestamp(milliseconds: 0))
            writer.member("noText", nil as String?)
            writer.member("noCount", nil as Int?)
            writer.member("noFlag", nil as Bool?)
            writer.member("noTime", nil as Timestamp?)
            writer.member("value", JSONValue.number(0.5))
            writer.memberRaw("raw", [UInt8]("[1]".utf8))
            writer.endObject()
        }
        #expect(
            written
                == #"{"text":"a","count":5,"wide":-9223372036854775808,"unsigned":18446744073709551615,"flag":false,"#
                + #""at":"1970-01-01T00:00:00.000Z","noText":null,"noCount":null,"noFlag":null,"noTime":null,"#
                + #""value":0.5,"raw":[1]}"#
        )
    }

    @Test(arguments: [
        ("plain é€𝄞", #""plain é€𝄞""#), ("a\"b\\c/", #""a\"b\\c/""#), ("\u{8}\u{c}\n\r\t", #""\b\f\n\r\t""#),
        ("\0\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""),
    ])
    func `strings are escaped as little as may be and read back`(plain: String, json: String) throws {
        #expect(text { $0.string(plain) } == json)
        #expect(text { $0.string(plain[...]) } == json)
        #expect(try JSONReader.parse([UInt8](json.utf8)).string == plain)
    }

    @Test(arguments: [0.1, 1, -0.0, 1e300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1.0 / 3])
    func `numbers read back exactly`(value: Double) throws {
        #expect(try JSONReader.parse([UInt8](text { $0.number(value) }.utf8)).double == value)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func `what JSON cannot write becomes null`(value: Double) {
        #expect(text { $0.number(value) } == "null")
    }

    @Test func `a value keeps its order through text`() throws {
        let source = #"{"z":[1,2.5,"x",null,true],"a":{"y":{},"b":[]}}"#
        let value = try JSONReader.parse([UInt8](source.utf8))
        #expect(String(decoding: value.encoded(), as: UTF8.self) == source)
        #expect(value["z"]?.array?.count == 5)
        #expect(value["a"]?["y"]?.object?.count == 0)
        #expect(value["z"]?.array?[1].integer == nil)
        #expect(value["z"]?.array?[3].isNull == true)
        #expect(value["missing"] == nil)
    }

    @Test(arguments: ["", "plain", "\n", "a\nb\n", "\"\\", "h\u{e9}\u{1f600}", "\u{0}x\u{1f}", "tail\t"])
    func `a string given as bytes is written like the same text`(text: String) {
        var fromBytes = JSONWriter()
        var fromText = JSONWriter()
        fromText.string(text)
        let isWritten = fromBytes.string(utf8: Array(text.utf8))
        #expect(isWritten)
        #expect(fromBytes.bytes == fromText.bytes)
        #expect((try? JSONReader.parse(fromBytes.bytes))?.string == text)
    }

    @Test(arguments: [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]] as [[UInt8]])
    func `bytes that are not UTF-8 are refused and leave nothing behind`(bytes: [UInt8]) {
        var writer = JSONWriter()
        let isWritten = writer.string(utf8: bytes)
        #expect(!isWritten)
        #expect(writer.bytes.isEmpty)
    }
}
