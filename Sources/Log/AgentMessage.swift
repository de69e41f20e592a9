import Bytes

/// Decides whether an agent's line may stand inside an event as the JSON that it is.
enum AgentMessage {
    /// Twice the nesting of the deepest tool input seen, and half of the values that a client reads by default.
    private static let limits = JSONLimits(
        maximumDepth: 256,
        maximumBytes: 256 << 10,
        maximumMembers: 50_000,
        maximumValues: 50_000
    )

    /// Whether the line is one JSON object and nothing beside it.
    ///
    /// A line that only looks like JSON could otherwise end the event around it and begin members of its own. Space around
    /// the object would be lost inside the event, and with it the reader's proof of having every byte.
    static func isEmbeddable(_ line: [UInt8]) -> Bool {
        guard line.first == UInt8(ascii: "{"), line.last == UInt8(ascii: "}"),
            !line.contains(where: { $0 == 0x0a || $0 == 0x0d })
        else { return false }
        return (try? JSONReader.parse(line, limits: limits)) != nil
    }
}
