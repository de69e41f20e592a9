import HTTP
import Testing

@Suite struct `Request heads` {
    private func parse(_ text: String, limits: HeadLimits = HeadLimits()) throws -> (RequestHead, [UInt8], Int) {
        let bytes = Array(text.utf8)
        var parser = RequestHeadParser(limits: limits)
        let length = try #require(try parser.parse(bytes.span))
        return (parser.head, bytes, length)
    }

    @Test func `offsets name the parts`() throws {
        let (head, bytes, length) = try parse(
            "POST /v1/jobs?a=b HTTP/1.1\r\nHost: Example:81\r\nContent-Length: 5\r\nX-One:  two \r\n\r\nhello"
        )
        #expect(head.method == .post)
        #expect(head.originText(from: bytes.span) == "/v1/jobs?a=b")
        #expect(head.authorityText(from: bytes.span) == "Example:81")
        #expect(head.framing == .length(5))
        #expect(length == bytes.count - 5)
        let headers = head.headers(from: bytes.span, length: length)
        #expect(headers["x-one"] == "two")
        #expect(headers["HOST"] == "Example:81")
        #expect(headers.all.map(\.0) == ["Host", "Content-Length", "X-One"])
    }

    @Test func `an absolute form brings its own host`() throws {
        let (head, bytes, _) = try parse("GET http://other:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.isAbsoluteForm)
        #expect(head.authorityText(from: bytes.span) == "other:81")
        #expect(head.originText(from: bytes.span) == "/x?y")
    }

    @Test(arguments: [("http://a", "/"), ("http://a?b", "/?b"), ("https://a/", "/")])
    func `an absolute form without a path gets one`(_ target: String, _ origin: String) throws {
        let (head, bytes, _) = try parse("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(head.originText(from: bytes.span) == origin)
    }

    @Test func `a proxy understands CONNECT when it asks to`() throws {
        var limits = HeadLimits()
        limits.allowsConnect = true
        let (head, bytes, _) = try parse(
            "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
            limits: limits
        )
        #expect(head.method == .connect)
        #expect(head.authorityText(from: bytes.span) == "a.example:443")
    }

    @Test(arguments: [
        ("HTTP/1.1", "X: y", true), ("HTTP/1.1", "Connection: close", false),
        ("HTTP/1.1", "Connection: foo, CLOSE ,bar", false), ("HTTP/1.0", "X: y", false),
        ("HTTP/1.0", "Connection: Keep-Alive", true), ("HTTP/1.0", "Connection: keep-alive, close", false),
    ])
    func `the connection is kept or closed as asked`(_ version: String, _ field: String, _ keeps: Bool) throws {
        let (head, _, _) = try parse("GET / \(version)\r\nHost: a\r\n\(field)\r\n\r\n")
        #expect(head.keepsAlive == keeps)
    }

    @Test func `an upgrade is found in a list`() throws {
        let (head, _, _) = try parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\r\n")
        #expect(head.wantsUpgrade)
        #expect(head.keepsAlive)
    }

    @Test func `100-continue is noticed`() throws {
        let (head, _, _) = try parse("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
        #expect(head.expectsContinue)
    }

    @Test func `a parser is used again after a reset`() throws {
        var parser = RequestHeadParser()
        let first = Array("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\n".utf8)
        #expect(try parser.parse(first.span) == first.count)
        parser.reset()
        let second = Array("GET /b HTTP/1.1\r\nHost: b\r\n\r\n".utf8)
        #expect(try parser.parse(second.span) == second.count)
        #expect(parser.head.keepsAlive)
        #expect(parser.head.framing == .none)
        #expect(parser.head.originText(from: second.span) == "/b")
    }
}
