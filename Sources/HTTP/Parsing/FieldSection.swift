/// What one attempt at a line gave.
enum LineOutcome {
    /// The line's end has not arrived.
    case incomplete
    /// A line was taken; the next begins at this offset.
    case line(next: Int)
    /// The empty line that ends the section was taken; the body begins at this offset.
    case end(next: Int)
}

/// The field lines of a head, and what the fields that frame the message say.
struct FieldSection {
    var fields: [HeaderField] = []
    var contentLength: Int?
    var isChunked = false
    var host: Range<Int>?
    var connectionCloses = false
    var connectionKeepsAlive = false
    var connectionUpgrades = false
    var expectsContinue = false

    /// Takes the field line at `start`, strictly: a token, a colon, a value without control characters, CR LF.
    mutating func takeLine(
        _ bytes: borrowing Span<UInt8>,
        at start: Int,
        limits: HeadLimits
    ) throws(HeadError) -> LineOutcome {
        let count = bytes.count
        var index = start
        while index < count, CharacterClass.isToken(bytes[index]) { index += 1 }
        guard index < count else { return .incomplete }
        guard bytes[index] == 0x3A, index > start else { return try endOfSection(bytes, start, index) }
        let nameEnd = index
        index += 1
        while index < count, CharacterClass.isBlank(bytes[index]) { index += 1 }
        let valueStart = index
        while index < count, !CharacterClass.isControl(bytes[index]) { index += 1 }
        guard index < count else { return .incomplete }
        guard bytes[index] == 0x0D else { throw bytes[index] == 0x0A ? .bareLineFeed : .controlCharacter }
        guard index + 1 < count else { return .incomplete }
        guard bytes[index + 1] == 0x0A else { throw .bareCarriageReturn }
        var valueEnd = index
        while valueEnd > valueStart, CharacterClass.isBlank(bytes[valueEnd - 1]) { valueEnd -= 1 }
        guard fields.count < limits.fields else { throw .tooManyFields }
        fields.append(
            HeaderField(
                nameStart: UInt32(truncatingIfNeeded: start),
                nameEnd: UInt32(truncatingIfNeeded: nameEnd),
                valueStart: UInt32(truncatingIfNeeded: valueStart),
                valueEnd: UInt32(truncatingIfNeeded: valueEnd)
            )
        )
        try note(bytes, start..<nameEnd, valueStart..<valueEnd)
        return .line(next: index + 2)
    }

    private func endOfSection(
        _ bytes: borrowing Span<UInt8>,
        _ start: Int,
        _ index: Int
    ) throws(HeadError) -> LineOutcome {
        let byte = bytes[index]
        guard index == start else { throw byte == 0x0A ? .bareLineFeed : .malformedFieldName }
        switch byte {
        case 0x0D:
            guard index + 1 < bytes.count else { return .incomplete }
            guard bytes[index + 1] == 0x0A else { throw .bareCarriageReturn }
            return .end(next: index + 2)
        case 0x0A: throw .bareLineFeed
        case 0x20, 0x09: throw .foldedLine
        default: throw .malformedFieldName
        }
    }

    /// Evaluates a field that concerns the protocol itself; the length sorts out nearly all others.
    private mutating func note(
        _ bytes: borrowing Span<UInt8>,
        _ name: Range<Int>,
        _ value: Range<Int>
    ) throws(HeadError) {
        switch name.count {
        case 4 where bytes.equals(name, "host"):
            guard host == nil else { throw .repeatedHost }
            guard HostSyntax.isValid(bytes, value) else { throw .malformedHost }
            host = value
        case 6 where bytes.equals(name, "expect"):
            guard bytes.equals(value, "100-continue") else { throw .unknownExpectation }
            expectsContinue = true
        case 10 where bytes.equals(name, "connection"):
            try noteConnection(bytes, value)
        case 14 where bytes.equals(name, "content-length"):
            guard contentLength == nil else { throw .repeatedContentLength }
            guard !isChunked else { throw .conflictingFraming }
            contentLength = try length(bytes, value)
        case 17 where bytes.equals(name, "transfer-encoding"):
            guard !isChunked else { throw .repeatedTransferEncoding }
            guard contentLength == nil else { throw .conflictingFraming }
            guard bytes.equals(value, "chunked") else { throw .unknownTransferEncoding }
            isChunked = true
        default: break
        }
    }

    private func length(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) throws(HeadError) -> Int {
        // 18 digits cannot overflow, and no real body needs 19.
        guard !value.isEmpty, value.count <= 18 else { throw .malformedContentLength }
        var length = 0
        for index in value {
            guard CharacterClass.isDigit(bytes[index]) else { throw .malformedContentLength }
            length = length * 10 + Int(bytes[index] - 0x30)
        }
        return length
    }

    private mutating func noteConnection(_ bytes: borrowing Span<UInt8>, _ value: Range<Int>) throws(HeadError) {
        var index = value.lowerBound
        while index < value.upperBound {
            let byte = bytes[index]
            if byte == 0x2C || CharacterClass.isBlank(byte) {
                index += 1
                continue
            }
            let start = index
            while index < value.upperBound, CharacterClass.isToken(bytes[index]) { index += 1 }
            let option = start..<index
            while index < value.upperBound, CharacterClass.isBlank(bytes[index]) { index += 1 }
            let endsWell = index == value.upperBound || bytes[index] == 0x2C
            guard !option.isEmpty, endsWell else { throw .malformedConnection }
            switch option.count {
            case 5 where bytes.equals(option, "close"): connectionCloses = true
            case 7 where bytes.equals(option, "upgrade"): connectionUpgrades = true
            case 10 where bytes.equals(option, "keep-alive"): connectionKeepsAlive = true
            default: break
            }
        }
    }
}

extension Span<UInt8> {
    /// Whether the bytes in `range` are `text`, which is lower-case, compared without case.
    @inline(__always)
    func equals(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        let expected = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        var offset = 0
        for index in range {
            guard unsafe CharacterClass.lowercased(self[index]) == expected[offset] else { return false }
            offset += 1
        }
        return true
    }

    /// The bytes in `range` as text; invalid UTF-8 is repaired.
    func text(_ range: Range<Int>) -> String {
        unsafe withUnsafeBufferPointer { unsafe String(decoding: $0[range], as: UTF8.self) }
    }
}
