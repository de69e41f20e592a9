/// Writes heads and chunked bodies; the framing fields are decided here and nowhere else.
package enum MessageWriter {
    /// Appends a response head.
    ///
    /// `common` holds whole field lines that every response of the connection carries (date, security fields).
    package static func appendResponseHead(
        status: Int,
        headers: HTTPHeaders,
        framing: BodyFraming,
        closes: Bool,
        common: [UInt8],
        requestID: String,
        to output: inout [UInt8]
    ) {
        StatusLine.append(status, to: &output)
        appendFields(headers, to: &output)
        output.append(contentsOf: common)
        if !requestID.isEmpty {
            output.append(contentsOf: "x-request-id: ".utf8)
            output.append(contentsOf: requestID.utf8)
            appendLineEnd(to: &output)
        }
        appendFraming(framing, to: &output)
        if closes { output.append(contentsOf: "connection: close\r\n".utf8) }
        appendLineEnd(to: &output)
    }

    /// Appends a request head; `target` and `host` come from a checked URL.
    package static func appendRequestHead(
        method: HTTPMethod,
        target: String,
        host: String,
        headers: HTTPHeaders,
        framing: BodyFraming,
        to output: inout [UInt8]
    ) {
        output.append(contentsOf: method.rawValue.utf8)
        output.append(0x20)
        output.append(contentsOf: target.utf8)
        output.append(contentsOf: " HTTP/1.1\r\nhost: ".utf8)
        output.append(contentsOf: host.utf8)
        appendLineEnd(to: &output)
        appendFields(headers, to: &output)
        appendFraming(framing, to: &output)
        appendLineEnd(to: &output)
    }

    /// Appends one chunk; an empty one is left out, for it would end the body.
    package static func appendChunk(_ bytes: [UInt8], to output: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        output.append(contentsOf: String(bytes.count, radix: 16).utf8)
        appendLineEnd(to: &output)
        output.append(contentsOf: bytes)
        appendLineEnd(to: &output)
    }

    /// Appends the chunk that ends a body.
    package static func appendLastChunk(to output: inout [UInt8]) {
        output.append(contentsOf: "0\r\n\r\n".utf8)
    }

    /// The interim answer to `Expect: 100-continue`.
    package static let continueResponse = [UInt8]("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    private static func appendFields(_ headers: HTTPHeaders, to output: inout [UInt8]) {
        guard headers.contains("content-length") || headers.contains("transfer-encoding") else {
            return headers.write(to: &output)
        }
        var checked = headers
        checked.remove(name: "content-length")
        checked.remove(name: "transfer-encoding")
        checked.write(to: &output)
    }

    private static func appendFraming(_ framing: BodyFraming, to output: inout [UInt8]) {
        switch framing {
        case .none, .untilClose: break
        case .length(let length):
            output.append(contentsOf: "content-length: ".utf8)
            appendDecimal(length, to: &output)
            appendLineEnd(to: &output)
        case .chunked: output.append(contentsOf: "transfer-encoding: chunked\r\n".utf8)
        }
    }

    private static func appendDecimal(_ number: Int, to output: inout [UInt8]) {
        precondition(number >= 0, "a length is not negative")
        if number >= 10 { appendDecimal(number / 10, to: &output) }
        output.append(0x30 + UInt8(truncatingIfNeeded: number % 10))
    }

    private static func appendLineEnd(to output: inout [UInt8]) {
        output.append(0x0D)
        output.append(0x0A)
    }
}
