import Bytes
import HTTP
import Testing

@Suite struct `Header fields` {
    @Test(arguments: ["a\r\nb: c", "a\nb", "a\0b", "a\u{7F}"])
    func `a value that could split the head is refused`(_ value: String) {
        var headers = HTTPHeaders()
        let isTaken = headers.append(name: "x", value: value)
        #expect(!isTaken)
        #expect(headers.all.isEmpty)
    }

    @Test(arguments: ["", "a b", "a:", "a\r\n", "ü"])
    func `a name that is no token is refused`(_ name: String) {
        var headers = HTTPHeaders()
        let isTaken = headers.append(name: name, value: "b")
        #expect(!isTaken)
    }

    @Test func `fields are found without case, and kept in order`() {
        var headers = HTTPHeaders([("Content-Type", "a"), ("X-One", "1"), ("x-one", "2")])
        #expect(headers["content-TYPE"] == "a")
        #expect(headers.values(of: "X-ONE") == ["1", "2"])
        #expect(headers["x-on"] == nil)
        headers.set(name: "X-One", value: "3")
        #expect(headers.all.map(\.0) == ["Content-Type", "X-One"])
        #expect(headers["x-one"] == "3")
        headers.remove(name: "content-type")
        #expect(headers.count == 1)
    }

    @Test func `a refused replacement changes nothing`() {
        var headers = HTTPHeaders([("x", "1")])
        let isTaken = headers.set(name: "x", value: "a\nb")
        #expect(!isTaken)
        #expect(headers["x"] == "1")
    }

    @Test func `a list is split at commas over all its fields`() {
        let headers = HTTPHeaders([("via", "a, b ,,c"), ("Via", "\td "), ("via", "")])
        #expect(headers.list(of: "via") == ["a", "b", "c", "d"])
    }

    @Test func `a handler cannot break the framing`() {
        var output: [UInt8] = []
        MessageWriter.appendResponseHead(
            status: 200,
            headers: HTTPHeaders([("Content-Length", "99"), ("transfer-encoding", "chunked"), ("x", "y")]),
            framing: .length(2),
            closes: true,
            common: Array("date: now\r\n".utf8),
            requestID: "req_1",
            to: &output
        )
        #expect(
            String(decoding: output, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nx: y\r\ndate: now\r\nx-request-id: req_1\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"
        )
    }

    @Test(arguments: [
        (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_709_164_800_000, "Thu, 29 Feb 2024 00:00:00 GMT"),
    ])
    func `a date has the fixed form`(_ milliseconds: Int64, _ text: String) {
        #expect(DateField.text(Timestamp(milliseconds: milliseconds)) == text)
    }
}
