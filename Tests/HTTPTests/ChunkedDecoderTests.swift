import HTTP
import Testing

/// A chunked body and what must come of it.
struct ChunkedCase: CustomTestStringConvertible, Sendable {
    let name: String
    let text: String
    let result: Result<String, ChunkError>

    init(_ name: String, _ text: String, _ result: Result<String, ChunkError>) {
        self.name = name
        self.text = text
        self.result = result
    }

    var testDescription: String { name }
}

@Suite struct `Chunked bodies` {
    static let cases: [ChunkedCase] = [
        ChunkedCase("one chunk", "5\r\nhello\r\n0\r\n\r\n", .success("hello")),
        ChunkedCase("no chunk", "0\r\n\r\n", .success("")),
        ChunkedCase(
            "two chunks, upper-case size",
            "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
            .success("hello0123456789")
        ),
        ChunkedCase("leading zeros", "0005\r\nhello\r\n000\r\n\r\n", .success("hello")),
        ChunkedCase("an extension", "5;a=b;c\r\nhello\r\n0;d\r\n\r\n", .success("hello")),
        ChunkedCase("a quoted extension", "5;a=\"b \\\" c\";d\r\nhello\r\n0\r\n\r\n", .success("hello")),
        ChunkedCase("trailers", "5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n", .success("hello")),
        ChunkedCase("plus sign", "+5\r\nhello\r\n0\r\n\r\n", .failure(.malformedSize)),
        ChunkedCase("minus sign", "-5\r\nhello\r\n0\r\n\r\n", .failure(.malformedSize)),
        ChunkedCase("0x", "0x5\r\nhello\r\n0\r\n\r\n", .failure(.malformedSize)),
        ChunkedCase("space before the size", " 5\r\nhello\r\n0\r\n\r\n", .failure(.malformedSize)),
        ChunkedCase("space after the size", "5 \r\nhello\r\n0\r\n\r\n", .failure(.malformedSize)),
        ChunkedCase("no size", "\r\nhello\r\n0\r\n\r\n", .failure(.malformedSize)),
        ChunkedCase("17 digits", "00000000000000005\r\nhello\r\n0\r\n\r\n", .failure(.malformedSize)),
        ChunkedCase("a size over 63 bits", "FFFFFFFFFFFFFFFF\r\n", .failure(.malformedSize)),
        ChunkedCase("bare LF after the size", "5\nhello\r\n0\r\n\r\n", .failure(.malformedLineEnd)),
        ChunkedCase("bare CR after the size", "5\rhello\r\n0\r\n\r\n", .failure(.malformedLineEnd)),
        ChunkedCase("no CRLF after the data", "5\r\nhello0\r\n\r\n", .failure(.malformedLineEnd)),
        ChunkedCase("bare LF after the data", "5\r\nhello\n0\r\n\r\n", .failure(.malformedLineEnd)),
        ChunkedCase("more data than the size", "4\r\nhello\r\n0\r\n\r\n", .failure(.malformedLineEnd)),
        ChunkedCase("bare LF at the end", "0\r\n\n", .failure(.malformedTrailer)),
        ChunkedCase("empty extension", "5;\r\nhello\r\n0\r\n\r\n", .failure(.malformedExtension)),
        ChunkedCase("LF in an extension", "5;a\nb\r\nhello\r\n0\r\n\r\n", .failure(.malformedLineEnd)),
        ChunkedCase("CR in a quoted extension", "5;a=\"b\r\nhello\r\n0\r\n\r\n", .failure(.malformedExtension)),
        ChunkedCase("a long extension", "5;" + String(repeating: "a", count: 5_000), .failure(.extensionTooLong)),
        ChunkedCase("a trailer without a name", "0\r\n: a\r\n\r\n", .failure(.malformedTrailer)),
        ChunkedCase("a folded trailer", "0\r\nX: y\r\n z\r\n\r\n", .failure(.malformedTrailer)),
        ChunkedCase("NUL in a trailer", "0\r\nX: \0\r\n\r\n", .failure(.malformedTrailer)),
        ChunkedCase("long trailers", "0\r\nX: " + String(repeating: "a", count: 9_000), .failure(.trailerTooLong)),
    ]

    private func decode(_ pieces: [[UInt8]], limit: Int = .max) -> Result<String, ChunkError> {
        var decoder = ChunkedDecoder()
        var data: [UInt8] = []
        do throws(ChunkError) {
            for piece in pieces {
                let end = try decoder.decode(piece.span, from: 0, into: &data, limit: limit)
                #expect(end == piece.count)
            }
        } catch {
            return .failure(error)
        }
        #expect(decoder.isDone)
        return .success(String(decoding: data, as: UTF8.self))
    }

    @Test(arguments: cases) func `decode strictly`(_ example: ChunkedCase) {
        #expect(decode([Array(example.text.utf8)]) == example.result)
    }

    @Test(arguments: cases) func `decode the same wherever they are cut`(_ example: ChunkedCase) {
        let bytes = Array(example.text.utf8)
        for cut in stride(from: 1, to: bytes.count, by: bytes.count < 1_000 ? 1 : 61) {
            #expect(decode([Array(bytes[..<cut]), Array(bytes[cut...])]) == example.result, "cut at \(cut)")
        }
    }

    @Test func `decoding stops at the reader's limit and goes on later`() throws {
        let bytes = Array("5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\nGET".utf8)
        var decoder = ChunkedDecoder()
        var first: [UInt8] = []
        let stop = try decoder.decode(bytes.span, from: 0, into: &first, limit: 3)
        #expect(first == Array("hel".utf8))
        var rest: [UInt8] = []
        let end = try decoder.decode(bytes.span, from: stop, into: &rest, limit: 100)
        #expect(rest == Array("loabc".utf8))
        #expect(decoder.isDone)
        #expect(Array(bytes[end...]) == Array("GET".utf8))
    }
}
