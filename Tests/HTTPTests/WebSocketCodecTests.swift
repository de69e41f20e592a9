import HTTP
import Testing

@Suite struct `WebSocket frames` {
    private static let key: UInt32 = 0x78_56_34_12

    private func frame(
        _ opcode: WebSocketOpcode,
        _ payload: [UInt8],
        isFinal: Bool = true,
        mask: UInt32? = key
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        WebSocketFrame.append(opcode, payload, isFinal: isFinal, mask: mask, to: &bytes)
        return bytes
    }

    /// Decodes pieces and gives the events and the fault, if there was one.
    private func decode(
        _ pieces: [[UInt8]],
        role: WebSocketRole = .server,
        maximum: Int = 1 << 20
    ) -> ([WebSocketEvent], WebSocketError?) {
        var decoder = WebSocketDecoder(role: role, maximumMessage: maximum)
        var events: [WebSocketEvent] = []
        do throws(WebSocketError) {
            for piece in pieces { try decoder.feed(piece.span, into: &events) }
            return (events, nil)
        } catch {
            return (events, error)
        }
    }

    @Test func `the examples of RFC 6455 decode`() {
        #expect(
            decode([[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]], role: .client).0 == [.message(.text("Hello"))]
        )
        let masked: [UInt8] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
        #expect(decode([masked]).0 == [.message(.text("Hello"))])
        let fragments: [UInt8] = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f]
        #expect(decode([fragments], role: .client).0 == [.message(.text("Hello"))])
    }

    @Test func `the accept key of RFC 6455 has its input`() {
        let input = WebSocketHandshake.acceptInput(key: "dGhlIHNhbXBsZSBub25jZQ==")
        #expect(String(decoding: input, as: UTF8.self).hasSuffix("==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
    }

    @Test(arguments: [0, 1, 7, 8, 9, 125, 126, 127, 65_535, 65_536, 70_001])
    func `a message of any length comes back`(_ length: Int) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        #expect(decode([frame(.binary, payload)]).0 == [.message(.binary(payload))])
        #expect(decode([frame(.binary, payload, mask: nil)], role: .client).0 == [.message(.binary(payload))])
    }

    @Test func `a conversation decodes the same wherever it is cut`() {
        let bytes =
            frame(.text, Array("gr".utf8), isFinal: false) + frame(.ping, Array("p".utf8))
            + frame(.continuation, Array("ü€😀".utf8), isFinal: true)
            + frame(.binary, (0..<130).map { UInt8($0) }) + frame(.pong, [])
            + frame(.close, WebSocketFrame.closePayload(code: 1000, reason: "tschüß"))
        let whole = decode([bytes]).0
        #expect(whole.count == 5)
        #expect(whole.first == .ping(Array("p".utf8)))
        #expect(whole.last == .close(code: 1000, reason: "tschüß"))
        for cut in 1..<bytes.count {
            #expect(decode([Array(bytes[..<cut]), Array(bytes[cut...])]).0 == whole, "cut at \(cut)")
        }
        #expect(decode(bytes.map { [$0] }).0 == whole)
    }

    struct Violation: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let code: UInt16
        var testDescription: String { name }
    }

    static let violations: [Violation] = [
        Violation(name: "reserved bit 1", bytes: [0xC1, 0x80, 0, 0, 0, 0], code: 1002),
        Violation(name: "reserved bit 3", bytes: [0x91, 0x80, 0, 0, 0, 0], code: 1002),
        Violation(name: "opcode 3", bytes: [0x83, 0x80, 0, 0, 0, 0], code: 1002),
        Violation(name: "opcode 11", bytes: [0x8B, 0x80, 0, 0, 0, 0], code: 1002),
        Violation(name: "unmasked from a client", bytes: [0x81, 0x00], code: 1002),
        Violation(name: "fragmented ping", bytes: [0x09, 0x80, 0, 0, 0, 0], code: 1002),
        Violation(name: "ping of 126 bytes", bytes: [0x89, 0xFE, 0, 126], code: 1002),
        Violation(name: "continuation of nothing", bytes: [0x80, 0x80, 0, 0, 0, 0], code: 1002),
        Violation(name: "text inside text", bytes: [0x01, 0x80, 0, 0, 0, 0, 0x81], code: 1002),
        Violation(name: "length 5 in two bytes", bytes: [0x82, 0xFE, 0, 5], code: 1002),
        Violation(name: "length 300 in eight bytes", bytes: [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 1, 44], code: 1009),
        Violation(name: "length with the top bit", bytes: [0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], code: 1002),
        Violation(name: "message over the limit", bytes: [0x82, 0xFE, 1, 1], code: 1009),
        Violation(name: "close of one byte", bytes: [0x88, 0x81, 0, 0, 0, 0, 3], code: 1002),
        Violation(name: "close with 1005", bytes: [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED], code: 1002),
        Violation(name: "close with 999", bytes: [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE7], code: 1002),
        Violation(name: "close with 5000", bytes: [0x88, 0x82, 0, 0, 0, 0, 0x13, 0x88], code: 1002),
        Violation(name: "close reason in no UTF-8", bytes: [0x88, 0x83, 0, 0, 0, 0, 0x03, 0xE8, 0xFF], code: 1007),
        Violation(name: "text with a surrogate", bytes: [0x81, 0x83, 0, 0, 0, 0, 0xED, 0xA0, 0x80], code: 1007),
        Violation(name: "text with an overlong slash", bytes: [0x81, 0x82, 0, 0, 0, 0, 0xC0, 0xAF], code: 1007),
        Violation(name: "text beyond Unicode", bytes: [0x81, 0x84, 0, 0, 0, 0, 0xF4, 0x90, 0x80, 0x80], code: 1007),
        Violation(name: "text that ends inside a character", bytes: [0x81, 0x82, 0, 0, 0, 0, 0xE2, 0x82], code: 1007),
    ]

    @Test(arguments: violations) func `a violation closes with its code`(_ violation: Violation) {
        let (_, fault) = decode([violation.bytes], maximum: 256)
        #expect(fault?.code == violation.code)
        for cut in 1..<violation.bytes.count {
            let pieces = [Array(violation.bytes[..<cut]), Array(violation.bytes[cut...])]
            #expect(decode(pieces, maximum: 256).1?.code == violation.code, "cut at \(cut)")
        }
    }

    @Test func `a masked frame from a server is refused`() {
        #expect(decode([frame(.text, [0x61])], role: .client).1?.code == 1002)
    }

    @Test func `fragments together may not exceed the limit`() {
        let first = frame(.binary, [UInt8](repeating: 1, count: 200), isFinal: false)
        let fits = frame(.continuation, [UInt8](repeating: 2, count: 56))
        let exceeds = frame(.continuation, [UInt8](repeating: 2, count: 57))
        #expect(decode([first, fits], maximum: 256).1 == nil)
        #expect(decode([first, exceeds], maximum: 256).1?.code == 1009)
    }

    @Test func `bad text is noticed before the message is whole`() {
        let (_, fault) = decode([frame(.text, [0x61, 0xFF], isFinal: false)])
        #expect(fault?.code == 1007)
    }

    @Test func `nothing after a close is looked at`() {
        let (events, fault) = decode([frame(.close, []) + [0xFF, 0xFF, 0xFF]])
        #expect(events == [.close(code: nil, reason: "")])
        #expect(fault == nil)
    }

    @Test func `a long close reason is cut at a character`() {
        let payload = WebSocketFrame.closePayload(code: 1000, reason: String(repeating: "€", count: 100))
        #expect(payload.count == 2 + 41 * 3)
    }
}
