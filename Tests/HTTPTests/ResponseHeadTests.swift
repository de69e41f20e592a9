import HTTP
import Testing

@Suite struct `Response heads` {
    private func parse(_ text: String, isAnswerToHead: Bool = false) throws -> ResponseHead? {
        var parser = ResponseHeadParser(isAnswerToHead: isAnswerToHead)
        return try parser.parse(Array(text.utf8).span)?.head
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", BodyFraming.length(5), true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .none, true),
        ("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", .chunked, true),
        ("HTTP/1.1 200 OK\r\n\r\n", .untilClose, false),
        ("HTTP/1.1 204 No Content\r\n\r\n", .none, true),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", .none, true),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", .length(5), false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", .length(5), false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", .length(5), true),
    ])
    func `the framing follows from the head`(_ text: String, _ framing: BodyFraming, _ keeps: Bool) throws {
        let head = try #require(try parse(text))
        #expect(head.framing == framing)
        #expect(head.keepsAlive == keeps)
    }

    @Test func `an answer to HEAD has no body`() throws {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        #expect(try parse(text, isAnswerToHead: true)?.framing == BodyFraming.none)
    }

    @Test(arguments: [
        "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 2000\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
    ])
    func `a malformed head is refused`(_ text: String) {
        #expect(throws: HeadError.self) { try parse(text) }
    }

    @Test func `a head is incomplete until its last byte`() throws {
        let bytes = Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".utf8)
        var parser = ResponseHeadParser(isAnswerToHead: false)
        for end in 0..<bytes.count {
            let result = try parser.parse(Array(bytes[..<end]).span)
            #expect(result == nil)
        }
        #expect(try parser.parse(bytes.span)?.length == bytes.count)
    }
}
