import Bytes

/// Decides whether an agent's line may stand inside an event as the JSON that it is.
enum AgentMessage {
    /// Twice the nesting of the deepest tool input seen, within what the reader's recursion allows.
    private static let limits = JSONLimits(maximumDepth: 256, maximumBytes: 256 << 10, maximumMembers: 100_000)

    /// The line without the space around it, or nil when it is not one whole JSON object on one line.
    ///
    /// A line that only looks like JSON could otherwise end the event around it and begin members of its own.
    static func embeddable(_ line: [UInt8]) -> [UInt8]? {
        guard let start = line.firstIndex(where: { !isSpace($0) }), let end = line.lastIndex(where: { !isSpace($0) }),
            line[start] == UInt8(ascii: "{")
        else { return nil }
        let message = start == 0 && end == line.count - 1 ? line : Array(line[start...end])
        guard !message.contains(where: { $0 == 0x0a || $0 == 0x0d }),
            (try? JSONReader.parse(message, limits: limits)) != nil
        else { return nil }
        return message
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}
