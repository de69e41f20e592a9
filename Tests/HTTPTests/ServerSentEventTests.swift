import HTTP
import Testing

@Suite struct `Server-sent events` {
    private func parse(_ text: String, cut: Int? = nil) throws -> [ServerSentEvent] {
        var parser = SSEParser()
        let bytes = Array(text.utf8)
        guard let cut else { return try parser.feed(bytes) }
        return try parser.feed(Array(bytes[..<cut])) + parser.feed(Array(bytes[cut...]))
    }

    @Test func `an event is written line by line`() {
        let bytes = ServerSentEvents.event(id: "1.7", event: "job:output", data: Array("a\nb\r\nc".utf8))
        #expect(String(decoding: bytes, as: UTF8.self) == "id: 1.7\nevent: job:output\ndata: a\ndata: b\ndata: c\n\n")
    }

    @Test func `a line break in an identifier cannot make a field`() {
        let bytes = ServerSentEvents.event(id: "1\ndata: x", event: nil, data: [])
        #expect(String(decoding: bytes, as: UTF8.self) == "id: 1data: x\ndata: \n\n")
    }

    @Test(arguments: ["", "a", "a\nb", "\n", "two\n\nlines\n", ": no comment", " space"])
    func `what is written is read back`(_ data: String) throws {
        let bytes = ServerSentEvents.event(id: "4.2", event: "note", data: Array(data.utf8))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(try parse(text) == [ServerSentEvent(id: "4.2", event: "note", data: Array(data.utf8))])
    }

    @Test func `a stream reads the same wherever it is cut`() throws {
        let text =
            "\u{FEFF}: hello\r\n\r\nretry: 500\r\nid: 1\r\ndata: a\r\ndata:b\r\n\r\ndata\rid\r\revent: x\ndata: \u{20AC}\n\nid: 9"
        let whole = try parse(text)
        #expect(whole.map { String(decoding: $0.data, as: UTF8.self) } == ["a\nb", "", "€"])
        #expect(whole.map(\.event) == ["message", "message", "x"])
        #expect(whole.map(\.id) == ["1", "", ""])
        for cut in 1..<text.utf8.count { #expect(try parse(text, cut: cut) == whole, "cut at \(cut)") }
    }

    @Test func `an event over the limit is refused`() throws {
        var parser = SSEParser(maximumEvent: 16)
        #expect(throws: EventTooLargeError.self) {
            _ = try parser.feed(Array("data: 12345678901234567".utf8))
        }
        var other = SSEParser(maximumEvent: 16)
        #expect(try other.feed(Array("data: 1234567890\n\n".utf8)).count == 1)
    }
}
