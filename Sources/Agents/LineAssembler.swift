/// Cuts a byte stream into lines of bounded length.
struct LineAssembler: Sendable {
    enum Line: Equatable {
        /// The bytes before a newline.
        case whole([UInt8])
        /// A line over the limit, whose bytes are gone.
        case tooLong
    }

    /// Bytes that one line may have.
    let limit: Int
    private var partial: [UInt8] = []
    private var isDiscarding = false

    init(limit: Int) { self.limit = limit }

    /// The lines that `chunk` completes.
    mutating func lines(in chunk: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var rest = chunk[...]
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
            take(rest[..<newline])
            lines.append(finished())
            rest = rest[(newline + 1)...]
        }
        take(rest)
        return lines
    }

    /// What stands after the last newline, at the end of the stream.
    mutating func remainder() -> Line? { partial.isEmpty && !isDiscarding ? nil : finished() }

    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        guard !isDiscarding else { return }
        guard partial.count + bytes.count <= limit else {
            partial = []
            isDiscarding = true
            return
        }
        partial.append(contentsOf: bytes)
    }

    private mutating func finished() -> Line {
        let line: Line = isDiscarding ? .tooLong : .whole(partial)
        partial = []
        isDiscarding = false
        return line
    }
}
