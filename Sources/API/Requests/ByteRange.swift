import HTTP

/// One byte range of a body of known length (RFC 9110, section 14).
struct ByteRange: Equatable {
    var start: UInt64
    /// One past the last byte.
    var end: UInt64
    var isPartial: Bool

    var count: UInt64 { end - start }

    /// Reads a Range field; another unit, several ranges or a malformed one mean the whole body, as the RFC allows.
    static func parse(_ field: String?, length: UInt64) throws(ProblemError) -> ByteRange {
        let whole = ByteRange(start: 0, end: length, isPartial: false)
        guard let field, field.hasPrefix("bytes="), !field.contains(",") else { return whole }
        let halves = field.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, let first = number(halves[0]), let last = number(halves[1]) else { return whole }
        switch (first, last) {
        case (nil, nil): return whole
        case (nil, let suffix?):
            guard suffix > 0, length > 0 else { throw unsatisfiable(length) }
            return ByteRange(start: length - min(suffix, length), end: length, isPartial: true)
        case (let start?, let last):
            if let last, last < start { return whole }
            guard start < length else { throw unsatisfiable(length) }
            let end = last.map { min($0, length - 1) + 1 } ?? length
            return ByteRange(start: start, end: end, isPartial: true)
        }
    }

    /// Digits only; `.some(nil)` for an empty half, nil for anything else.
    private static func number(_ text: Substring) -> UInt64?? {
        if text.isEmpty { return .some(nil) }
        guard text.utf8.count <= 19, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt64(text)
    }

    private static func unsatisfiable(_ length: UInt64) -> ProblemError {
        var problem = Problem.rangeNotSatisfiable
        problem.headers.append(("content-range", "bytes */\(length)"))
        return ProblemError(problem)
    }
}
