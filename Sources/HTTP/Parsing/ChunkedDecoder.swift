/// Why a chunked body is refused.
package enum ChunkError: Error, Hashable, Sendable {
    /// A size that is no plain hexadecimal number, or does not fit.
    case malformedSize
    /// An extension that does not follow the grammar.
    case malformedExtension
    /// Extensions longer than the limit.
    case extensionTooLong
    /// Data not followed by CR LF, or a bare CR or LF elsewhere.
    case malformedLineEnd
    /// A trailer field that no head would be allowed.
    case malformedTrailer
    /// Trailers longer than the limit.
    case trailerTooLong
}

/// A decoder of the chunked coding that takes pieces of any size; extensions and trailers are checked and dropped.
package struct ChunkedDecoder: Sendable {
    private enum State {
        case size, extensionName, extensionValue, extensionToken, extensionQuoted, extensionEscape, extensionQuoteEnd
        case sizeLineFeed, data, dataCarriageReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed, done
    }

    // All extensions of a body together: nobody uses them, and unbounded they are free upload.
    private static let maximumExtensions = 4_096
    private static let maximumTrailers = 8_192

    private var state = State.size
    private var remaining = 0
    private var digits = 0
    private var extensionBytes = 0
    private var trailerBytes = 0
    private var nameLength = 0

    /// Makes a decoder at the start of a body.
    package init() {}

    /// Whether the last chunk and its trailers have been read.
    package var isDone: Bool { state == .done }

    /// Decodes from `start` on, appends data to `output` until it holds `limit` bytes; returns where it stopped.
    package mutating func decode(
        _ bytes: borrowing Span<UInt8>,
        from start: Int,
        into output: inout [UInt8],
        limit: Int
    ) throws(ChunkError) -> Int {
        var index = start
        while index < bytes.count, state != .done {
            guard state == .data else {
                try step(bytes[index])
                index += 1
                continue
            }
            let length = min(remaining, bytes.count - index, limit - output.count)
            guard length > 0 else { return index }
            output.append(copying: bytes, index..<(index + length))
            index += length
            remaining -= length
            if remaining == 0 { state = .dataCarriageReturn }
        }
        return index
    }

    private mutating func step(_ byte: UInt8) throws(ChunkError) {
        switch state {
        case .size: try stepSize(byte)
        case .extensionName, .extensionValue, .extensionToken, .extensionQuoted, .extensionEscape, .extensionQuoteEnd:
            extensionBytes += 1
            guard extensionBytes <= Self.maximumExtensions else { throw .extensionTooLong }
            try stepExtension(byte)
        case .sizeLineFeed:
            guard byte == 0x0A else { throw .malformedLineEnd }
            state = remaining == 0 ? .trailerStart : .data
            digits = 0
        case .dataCarriageReturn:
            guard byte == 0x0D else { throw .malformedLineEnd }
            state = .dataLineFeed
        case .dataLineFeed:
            guard byte == 0x0A else { throw .malformedLineEnd }
            state = .size
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .lastLineFeed:
            trailerBytes += 1
            guard trailerBytes <= Self.maximumTrailers else { throw .trailerTooLong }
            try stepTrailer(byte)
        case .data, .done: break
        }
    }

    private mutating func stepSize(_ byte: UInt8) throws(ChunkError) {
        if let value = CharacterClass.hexValue(byte) {
            digits += 1
            guard digits <= 16, remaining <= Int.max >> 4 else { throw .malformedSize }
            remaining = remaining << 4 | Int(value)
            return
        }
        guard digits > 0 else { throw .malformedSize }
        try endOfExtension(byte)
    }

    private mutating func endOfExtension(_ byte: UInt8) throws(ChunkError) {
        switch byte {
        case 0x0D: state = .sizeLineFeed
        case 0x3B:
            state = .extensionName
            nameLength = 0
        case 0x0A: throw .malformedLineEnd
        default: throw extensionBytes == 0 ? .malformedSize : .malformedExtension
        }
    }

    private mutating func stepExtension(_ byte: UInt8) throws(ChunkError) {
        switch state {
        case .extensionName, .extensionToken:
            if CharacterClass.isToken(byte) {
                nameLength += 1
            } else if byte == 0x3D, state == .extensionName, nameLength > 0 {
                state = .extensionValue
            } else {
                guard nameLength > 0 else { throw .malformedExtension }
                try endOfExtension(byte)
            }
        case .extensionValue:
            guard byte == 0x22 || CharacterClass.isToken(byte) else { throw .malformedExtension }
            state = byte == 0x22 ? .extensionQuoted : .extensionToken
        case .extensionQuoted:
            guard !CharacterClass.isControl(byte) else { throw .malformedExtension }
            if byte == 0x22 { state = .extensionQuoteEnd } else if byte == 0x5C { state = .extensionEscape }
        case .extensionEscape:
            guard !CharacterClass.isControl(byte) else { throw .malformedExtension }
            state = .extensionQuoted
        default: try endOfExtension(byte)
        }
    }

    private mutating func stepTrailer(_ byte: UInt8) throws(ChunkError) {
        switch state {
        case .trailerStart where byte == 0x0D: state = .lastLineFeed
        case .trailerStart:
            guard CharacterClass.isToken(byte) else { throw .malformedTrailer }
            state = .trailerName
        case .trailerName:
            if byte == 0x3A { state = .trailerValue } else if !CharacterClass.isToken(byte) { throw .malformedTrailer }
        case .trailerValue:
            if byte == 0x0D {
                state = .trailerLineFeed
            } else if CharacterClass.isControl(byte) {
                throw .malformedTrailer
            }
        case .trailerLineFeed:
            guard byte == 0x0A else { throw .malformedLineEnd }
            state = .trailerStart
        default:
            guard byte == 0x0A else { throw .malformedLineEnd }
            state = .done
        }
    }
}
