/// A response's head as a client receives it.
package struct ResponseHead: Sendable {
    /// The status code.
    package internal(set) var status = 0
    /// The fields.
    package internal(set) var headers = HTTPHeaders()
    /// How the body is framed, given what was asked.
    package internal(set) var framing = BodyFraming.none
    /// Whether the connection may carry another request once the body has ended.
    package internal(set) var keepsAlive = false
    /// Whether the Connection field speaks of an upgrade.
    package internal(set) var isUpgrade = false
}

/// A strict parser of HTTP/1.1 response heads, as strict about framing as the request parser.
package struct ResponseHeadParser {
    private let limits: HeadLimits
    private let isAnswerToHead: Bool
    private var section = FieldSection()
    private var lineStart = 0
    private var status = 0
    private var minorVersion: UInt8 = 1

    /// Makes a parser for the answer to one request.
    package init(isAnswerToHead: Bool, limits: HeadLimits = HeadLimits()) {
        self.isAnswerToHead = isAnswerToHead
        self.limits = limits
    }

    /// Parses on and returns the head and its length once it is whole; `bytes` begins with the head each time.
    package mutating func parse(
        _ bytes: borrowing Span<UInt8>
    ) throws(HeadError) -> (head: ResponseHead, length: Int)? {
        if lineStart == 0 {
            guard let next = try parseStatusLine(bytes) else { return try needMore(bytes.count) }
            lineStart = next
        }
        while true {
            switch try section.takeLine(bytes, at: lineStart, limits: limits) {
            case .incomplete: return try needMore(bytes.count)
            case .line(let next):
                guard next <= limits.head else { throw .headTooLarge }
                lineStart = next
            case .end(let next):
                guard next <= limits.head else { throw .headTooLarge }
                return (try finish(bytes, next), next)
            }
        }
    }

    private func needMore(_ count: Int) throws(HeadError) -> (head: ResponseHead, length: Int)? {
        guard count < limits.head else { throw .headTooLarge }
        return nil
    }

    private mutating func parseStatusLine(_ bytes: borrowing Span<UInt8>) throws(HeadError) -> Int? {
        let pattern: StaticString = "HTTP/1."
        for offset in 0..<12 {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            switch offset {
            case 0..<7: guard unsafe byte == pattern.utf8Start[offset] else { throw .malformedStatusLine }
            case 7: guard byte == 0x30 || byte == 0x31 else { throw .unsupportedVersion }
            case 8: guard byte == 0x20 else { throw .malformedStatusLine }
            default: guard CharacterClass.isDigit(byte) else { throw .malformedStatusLine }
            }
        }
        minorVersion = bytes[7] - 0x30
        status = Int(bytes[9] - 0x30) * 100 + Int(bytes[10] - 0x30) * 10 + Int(bytes[11] - 0x30)
        guard (100...599).contains(status) else { throw .malformedStatusLine }
        var index = 12
        guard index < bytes.count else { return nil }
        // Some servers leave out the reason and the space before it.
        guard bytes[index] == 0x20 || bytes[index] == 0x0D else { throw .malformedStatusLine }
        while index < bytes.count, !CharacterClass.isControl(bytes[index]) { index += 1 }
        guard index < bytes.count else { return nil }
        guard bytes[index] == 0x0D else { throw bytes[index] == 0x0A ? .bareLineFeed : .controlCharacter }
        guard index + 1 < bytes.count else { return nil }
        guard bytes[index + 1] == 0x0A else { throw .bareCarriageReturn }
        return index + 2
    }

    private func finish(_ bytes: borrowing Span<UInt8>, _ length: Int) throws(HeadError) -> ResponseHead {
        var block: [UInt8] = []
        block.reserveCapacity(length)
        block.append(copying: bytes, 0..<length)
        var head = ResponseHead()
        head.status = status
        head.headers = HTTPHeaders(parsed: block, fields: section.fields)
        head.isUpgrade = section.connectionUpgrades
        if section.isChunked, minorVersion == 0 { throw .transferEncodingInOldVersion }
        if isAnswerToHead || status < 200 || status == 204 || status == 304 {
            head.framing = .none
        } else if section.isChunked {
            head.framing = .chunked
        } else if let length = section.contentLength {
            head.framing = length == 0 ? .none : .length(length)
        } else {
            head.framing = .untilClose
        }
        let mayKeepAlive = !section.connectionCloses && (minorVersion == 1 || section.connectionKeepsAlive)
        head.keepsAlive = mayKeepAlive && head.framing != .untilClose
        return head
    }
}
