import HTTP
import Testing

/// One head and what must come of it; nil is acceptance.
struct HeadCase: CustomTestStringConvertible, Sendable {
    let name: String
    let bytes: [UInt8]
    let status: Int?

    init(_ name: String, _ text: String, _ status: Int?) {
        self.name = name
        // A one-byte reading of the text, so that \u{80} and above become raw 8-bit bytes.
        bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
        self.status = status
    }

    var testDescription: String { name }
}

@Suite struct `Hostile heads` {
    static let refused: [HeadCase] = [
        HeadCase("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
        HeadCase("bare LF after a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
        HeadCase("bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
        HeadCase("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        HeadCase("folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
        HeadCase("folded line with a tab", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", 400),
        HeadCase("space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        HeadCase(
            "content-length with chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            400
        ),
        HeadCase(
            "chunked with content-length",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            400
        ),
        HeadCase(
            "two different content-lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
            400
        ),
        HeadCase(
            "two equal content-lengths",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            400
        ),
        HeadCase("content-length +0", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n", 400),
        HeadCase("content-length 0x5", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", 400),
        HeadCase("content-length 5,5", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,5\r\n\r\n", 400),
        HeadCase("content-length 5 5", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n", 400),
        HeadCase("empty content-length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400),
        HeadCase(
            "content-length over 64 bits",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
            400
        ),
        HeadCase("xchunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501),
        HeadCase(
            "chunked, identity",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
            501
        ),
        HeadCase("gzip, chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        HeadCase("empty transfer-encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", 501),
        HeadCase(
            "chunked twice",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            400
        ),
        HeadCase(
            "vertical tab before chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{0B}chunked\r\n\r\n",
            400
        ),
        HeadCase("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        HeadCase("empty field name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
        HeadCase("parenthesis in a field name", "GET / HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n", 400),
        HeadCase("8-bit byte in a field name", "GET / HTTP/1.1\r\nHost: a\r\nX\u{E9}: b\r\n\r\n", 400),
        HeadCase("NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\u{00}c\r\n\r\n", 400),
        HeadCase("control byte in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\u{01}c\r\n\r\n", 400),
        HeadCase("bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400),
        HeadCase("DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\u{7F}c\r\n\r\n", 400),
        HeadCase("no Host", "GET / HTTP/1.1\r\nX: b\r\n\r\n", 400),
        HeadCase("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        HeadCase("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        HeadCase("Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
        HeadCase("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        HeadCase("Host with two values", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
        HeadCase("Host with port 0", "GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", 400),
        HeadCase("Host with port 65536", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400),
        HeadCase("CRLF before the request line", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505),
        HeadCase("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        HeadCase("lower-case protocol", "GET / http/1.1\r\nHost: a\r\n\r\n", 505),
        HeadCase("HTTP/1.1x", "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 400),
        HeadCase("HTTP/11", "GET / HTTP/11\r\nHost: a\r\n\r\n", 400),
        HeadCase("no protocol", "GET /\r\nHost: a\r\n\r\n", 400),
        HeadCase("two spaces after the method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("two spaces after the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("space after the protocol", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        HeadCase("tab after the method", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("raw 8-bit byte in the target", "GET /\u{E9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("fragment in the target", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("target without a slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("ftp target", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("absolute form with a user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("absolute form without a host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("six letters that begin like DELETE", "DILATE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        HeadCase("lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        HeadCase("CONNECT to an origin server", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        HeadCase("a method of 17 letters", "ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        HeadCase("Connection that is no list of tokens", "GET / HTTP/1.1\r\nHost: a\r\nConnection: a b\r\n\r\n", 400),
        HeadCase("unknown expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417),
        HeadCase("bytes of a TLS hello", "\u{16}\u{03}\u{01}\u{02}\u{00}\u{01}\u{00}", 400),
        HeadCase("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        HeadCase("65 fields", "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: b\r\n", count: 64) + "\r\n", 431),
        HeadCase("a target of 8193 bytes", "GET /" + String(repeating: "a", count: 8_192) + " HTTP/1.1\r\n", 414),
        HeadCase("a head of 16385 bytes", head(ofLength: 16_385), 431),
    ]

    static let accepted: [HeadCase] = [
        HeadCase("the least", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", nil),
        HeadCase("no space after the colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n", nil),
        HeadCase("blanks around a value", "GET / HTTP/1.1\r\nHost: \t a\t \r\n\r\n", nil),
        HeadCase("an empty value", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", nil),
        HeadCase("8-bit bytes in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: \u{E9}\r\n\r\n", nil),
        HeadCase("tab in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: b\tc\r\n\r\n", nil),
        HeadCase("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", nil),
        HeadCase("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", nil),
        HeadCase("absolute form", "GET http://b:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n", nil),
        HeadCase("IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", nil),
        HeadCase("64 fields", "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: b\r\n", count: 63) + "\r\n", nil),
        HeadCase(
            "a target of 8192 bytes",
            "GET /" + String(repeating: "a", count: 8_191) + " HTTP/1.1\r\nHost: a\r\n\r\n",
            nil
        ),
        HeadCase("a head of 16384 bytes", head(ofLength: 16_384), nil),
    ]

    static func head(ofLength length: Int) -> String {
        let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
        return "GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "b", count: length - frame.utf8.count)
            + "\r\n\r\n"
    }

    @Test(arguments: refused) func `is refused with its status`(_ example: HeadCase) {
        let verdicts = ParserProbe.read(example.bytes)
        #expect(verdicts.count == 1)
        #expect(verdicts.first?.verdict == "reject")
        #expect(verdicts.first?.status == example.status)
    }

    @Test(arguments: accepted) func `is accepted beside it`(_ example: HeadCase) {
        #expect(ParserProbe.read(example.bytes).map(\.verdict) == ["accept"])
    }

    @Test(arguments: refused + accepted) func `has the same verdict wherever it is cut`(_ example: HeadCase) {
        let whole = ParserProbe.read(example.bytes)
        // Every boundary of short heads; a prime step through the long ones.
        for cut in stride(from: 1, to: example.bytes.count, by: example.bytes.count < 1_000 ? 1 : 97) {
            #expect(ParserProbe.read(example.bytes, cutAt: cut) == whole, "cut at \(cut)")
        }
    }

    @Test(arguments: accepted) func `has the same verdict byte by byte`(_ example: HeadCase) throws {
        var parser = RequestHeadParser()
        var fed: [UInt8] = []
        for byte in example.bytes.dropLast() {
            fed.append(byte)
            let length = try parser.parse(fed.span)
            #expect(length == nil)
        }
        fed.append(0x0A)
        #expect(try parser.parse(fed.span) == example.bytes.count)
    }
}
