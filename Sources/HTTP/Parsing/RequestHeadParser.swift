/// A strict parser of HTTP/1.1 request heads that resumes where the last bytes ended.
///
/// Stricter than RFC 9112 on purpose: equal repeated Content-Length fields, an empty line before the request line and
/// HTTP/1.2 are refused, for no client of ours sends them and each has been used to smuggle requests.
package struct RequestHeadParser {
    private let limits: HeadLimits
    private var section = FieldSection()
    // The start of the line that is not complete yet; 0 is the request line.
    private var lineStart = 0
    // Bytes before this offset hold no line feed after `lineStart`.
    private var scanned = 0

    /// What was parsed; complete once `parse` has returned a length.
    package private(set) var head = RequestHead()

    /// Makes a parser.
    package init(limits: HeadLimits = HeadLimits()) {
        self.limits = limits
    }

    /// Forgets everything, for the next request.
    package mutating func reset() {
        section = FieldSection()
        head = RequestHead()
        lineStart = 0
        scanned = 0
    }

    /// Whether any byte of a head has been seen since the last reset.
    package var hasBegun: Bool { lineStart > 0 || scanned > 0 }

    /// Parses on and returns the head's length once it is whole; `bytes` begins with the head each time and only grows.
    package mutating func parse(_ bytes: borrowing Span<UInt8>) throws(HeadError) -> Int? {
        guard !isWaitingForLine(bytes) else { return try needMore(bytes.count) }
        if lineStart == 0 {
            guard let next = try parseRequestLine(bytes) else { return try needMore(bytes.count) }
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
                try finish()
                return next
            }
        }
    }

    private mutating func needMore(_ count: Int) throws(HeadError) -> Int? {
        if lineStart == 0, count > limits.target + 64 { throw .targetTooLong }
        guard count < limits.head else { throw .headTooLarge }
        scanned = count
        return nil
    }

    private func isWaitingForLine(_ bytes: borrowing Span<UInt8>) -> Bool {
        // A short line is parsed again at once, so that its faults show early; a long one only once its end is there,
        // or a slow sender would make us read the same bytes over and over.
        guard scanned - lineStart > 512 else { return false }
        for index in scanned..<bytes.count where bytes[index] == 0x0A { return false }
        return true
    }

    private mutating func parseRequestLine(_ bytes: borrowing Span<UInt8>) throws(HeadError) -> Int? {
        let count = bytes.count
        var index = 0
        while index < count, CharacterClass.isToken(bytes[index]) {
            index += 1
            // The longest method we know has 7 letters; 16 leaves room to answer "unknown" rather than "malformed".
            guard index <= 16 else { throw .malformedRequestLine }
        }
        guard index < count else { return nil }
        guard index > 0, bytes[index] == 0x20 else { throw .malformedRequestLine }
        let method = 0..<index
        index += 1
        let targetStart = index
        while index < count, CharacterClass.isTarget(bytes[index]) { index += 1 }
        guard index - targetStart <= limits.target else { throw .targetTooLong }
        guard index < count else { return nil }
        guard index > targetStart, bytes[index] == 0x20 else { throw .malformedRequestLine }
        head.target = targetStart..<index
        index += 1
        guard let next = try parseVersion(bytes, at: index) else { return nil }
        try setMethod(bytes, method)
        try setTarget(bytes)
        return next
    }

    private mutating func parseVersion(_ bytes: borrowing Span<UInt8>, at start: Int) throws(HeadError) -> Int? {
        let pattern: StaticString = "http/"
        for offset in 0..<10 {
            guard start + offset < bytes.count else { return nil }
            let byte = bytes[start + offset]
            switch offset {
            case 0..<5:
                guard unsafe CharacterClass.lowercased(byte) == pattern.utf8Start[offset] else {
                    throw .malformedRequestLine
                }
            case 5, 7: guard CharacterClass.isDigit(byte) else { throw .malformedRequestLine }
            case 6: guard byte == 0x2E else { throw .malformedRequestLine }
            case 8: guard byte == 0x0D else { throw byte == 0x0A ? .bareLineFeed : .malformedRequestLine }
            default: guard byte == 0x0A else { throw .bareCarriageReturn }
            }
        }
        let isUpperCase =
            bytes[start] == 0x48 && bytes[start + 1] == 0x54 && bytes[start + 2] == 0x54 && bytes[start + 3] == 0x50
        guard isUpperCase, bytes[start + 5] == 0x31, bytes[start + 7] <= 0x31 else { throw .unsupportedVersion }
        head.minorVersion = bytes[start + 7] - 0x30
        return start + 10
    }

    private mutating func setMethod(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) throws(HeadError) {
        let method = HTTPMethod(rawValue: bytes.text(range))
        switch method {
        // TRACE and QUERY are known so that the router can refuse them with 405; no route has them.
        case .get, .post, .head, .put, .patch, .delete, .options, .trace, .query: head.method = method
        case .connect where limits.allowsConnect: head.method = method
        default: throw .unknownMethod
        }
    }

    private mutating func setTarget(_ bytes: borrowing Span<UInt8>) throws(HeadError) {
        let target = head.target
        if head.method == .connect {
            guard HostSyntax.isValid(bytes, target) else { throw .malformedTarget }
            head.authority = target
            return
        }
        if bytes[target.lowerBound] == 0x2F {
            head.origin = target
            return
        }
        if target.count == 1, bytes[target.lowerBound] == 0x2A {
            guard head.method == .options else { throw .malformedTarget }
            head.origin = target
            return
        }
        let start = target.lowerBound
        let schemeLength: Int
        if target.count > 7, bytes.equals(start..<(start + 7), "http://") {
            schemeLength = 7
        } else if target.count > 8, bytes.equals(start..<(start + 8), "https://") {
            schemeLength = 8
        } else {
            throw .malformedTarget
        }
        var end = start + schemeLength
        while end < target.upperBound, bytes[end] != 0x2F, bytes[end] != 0x3F { end += 1 }
        guard HostSyntax.isValid(bytes, (start + schemeLength)..<end) else { throw .malformedTarget }
        head.authority = (start + schemeLength)..<end
        head.origin = end..<target.upperBound
        head.isAbsoluteForm = true
    }

    private mutating func finish() throws(HeadError) {
        if section.host == nil, head.minorVersion == 1 { throw .missingHost }
        if head.authority == nil { head.authority = section.host }
        if section.isChunked {
            guard head.minorVersion == 1 else { throw .transferEncodingInOldVersion }
            head.framing = .chunked
        } else if let length = section.contentLength, length > 0 {
            head.framing = .length(length)
        }
        head.keepsAlive = !section.connectionCloses && (head.minorVersion == 1 || section.connectionKeepsAlive)
        head.expectsContinue = section.expectsContinue && head.minorVersion == 1
        head.wantsUpgrade = section.connectionUpgrades && head.minorVersion == 1
        head.fields = section.fields
    }
}
