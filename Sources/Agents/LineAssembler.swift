/// Cuts a byte stream into lines of bounded length.
struct LineAssembler: Sendable {
    enum Line: Equatable {
        /// The bytes before a newline.
        case whole([UInt8])
        /// A piece of a line over the limit, as it came; the last one holds the newline.
        case piece([UInt8], isFirst: Bool)
    }

    /// Bytes that one line may have to come out whole.
    let limit: Int
    private var partial: [UInt8] = []
    private var isLong = false

    init(limit: Int) { self.limit = limit }

    /// The lines that `chunk` completes, and the pieces of a long one that it brings.
    mutating func lines(in chunk: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var rest = chunk[...]
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if let piece = take(rest[..<newline], through: newline + 1, of: rest) {
                lines.append(piece)
            } else {
                lines.append(.whole(partial))
            }
            (partial, isLong) = ([], false)
            rest = rest[(newline + 1)...]
        }
        if let piece = take(rest, through: rest.endIndex, of: rest) { lines.append(piece) }
        return lines
    }

    /// What stands after the last newline, at the end of the stream.
    mutating func remainder() -> Line? {
        defer { (partial, isLong) = ([], false) }
        return partial.isEmpty ? nil : .whole(partial)
    }

    /// Adds a line's next bytes; gives them out, with those up to `end`, when the line is too long to be kept.
    private mutating func take(_ bytes: ArraySlice<UInt8>, through end: Int, of rest: ArraySlice<UInt8>) -> Line? {
        guard isLong || partial.count + bytes.count > limit else {
            partial.append(contentsOf: bytes)
            return nil
        }
        let piece = partial + rest[..<end]
        defer { (partial, isLong) = ([], true) }
        return piece.isEmpty ? nil : .piece(piece, isFirst: !isLong)
    }
}
