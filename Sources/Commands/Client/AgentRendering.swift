import Bytes
import Core

/// Shows an agent at work: its words as they come, its calls as one line each, its answer as the result.
struct AgentRendering {
    let style: OutputStyle

    /// The worker reads no longer line, nor one of more values.
    private static let maximumLine = 4 << 20
    private static let limits = JSONLimits(
        maximumDepth: 512,
        maximumBytes: maximumLine,
        maximumMembers: 200_000,
        maximumValues: 200_000
    )

    /// The parts of a long line so far.
    private var line: [UInt8] = []
    /// Words of the present block that were shown as they came.
    private var streamed = ""
    private(set) var isAtLineStart = true
    /// The agent's last words, as far as the answer has not repeated them.
    private var unrepeated: [UInt8] = []

    init(style: OutputStyle) {
        self.style = style
    }

    /// What a record looks like.
    mutating func render(_ record: LogRecord) -> [Rendered] {
        switch record.stream {
        case .stdout: return answer(record.bytes)
        case .stderr:
            let text = VisibleText.block(String(decoding: record.bytes, as: UTF8.self))
            return endLine() + text.split(separator: "\n").map { style.dimLine(String($0)) }
        case .errand: return endLine() + ErrandNote.lines(record.bytes, style: style)
        case .agent:
            if record.part == 1 { line = [] }
            guard line.count + record.bytes.count <= Self.maximumLine else { return [] }
            line += record.bytes
            guard record.part == record.parts else { return [] }
            defer { line = [] }
            guard let message = try? JSONReader.parse(line, limits: Self.limits) else { return [] }
            return render(message)
        }
    }

    /// Ends a line that is still open.
    mutating func finish() -> [Rendered] { endLine() }

    private mutating func render(_ message: JSONValue) -> [Rendered] {
        let isNested = message["parent_tool_use_id"]?.string != nil
        let indent = isNested ? "  " : ""
        switch message["type"]?.string {
        case "stream_event": return isNested ? [] : stream(message["event"])
        case "assistant":
            let blocks = message["message"]?["content"]?.array ?? []
            return blocks.flatMap { block in
                switch block["type"]?.string {
                case "text": return isNested ? [] : words(block["text"]?.string ?? "")
                case "tool_use": return endLine() + [style.dimLine(indent + AgentSummary.call(block))]
                default: return []
                }
            }
        case "user":
            let blocks = message["message"]?["content"]?.array ?? []
            return blocks.filter { $0["type"]?.string == "tool_result" }
                .flatMap { endLine() + [style.dimLine(indent + AgentSummary.result($0))] }
        // A `result` is the end of a turn, of which Errand itself tells.
        case "system", "rate_limit_event":
            guard let note = AgentSummary.note(message) else { return [] }
            return endLine() + [style.dimLine(indent + note)]
        default: return []
        }
    }

    private mutating func stream(_ event: JSONValue?) -> [Rendered] {
        switch event?["type"]?.string {
        case "content_block_start":
            streamed = ""
            return []
        case "content_block_delta":
            guard event?["delta"]?["type"]?.string == "text_delta", let text = event?["delta"]?["text"]?.string else {
                return []
            }
            streamed += text
            return show(text)
        default: return []
        }
    }

    /// A whole block of words, of which some may have been shown already.
    private mutating func words(_ text: String) -> [Rendered] {
        let shown = streamed.utf8
        streamed = ""
        unrepeated = Array(text.utf8)
        guard unrepeated.starts(with: shown) else { return endLine() + show(text) + endLine() }
        return show(String(decoding: unrepeated.dropFirst(shown.count), as: UTF8.self)) + endLine()
    }

    private mutating func show(_ text: String) -> [Rendered] {
        let visible = VisibleText.block(text)
        guard let last = visible.last else { return [] }
        isAtLineStart = last == "\n"
        return [.note(Array(visible.utf8))]
    }

    private mutating func endLine() -> [Rendered] {
        if isAtLineStart { return [] }
        isAtLineStart = true
        return [.note([UInt8(ascii: "\n")])]
    }

    /// The answer repeats the last words; on one terminal they are not shown twice.
    private mutating func answer(_ bytes: [UInt8]) -> [Rendered] {
        if style.isOneTerminal, !unrepeated.isEmpty || bytes == [UInt8(ascii: "\n")] {
            let expected = unrepeated + [UInt8(ascii: "\n")]
            if expected.starts(with: bytes) {
                unrepeated.removeFirst(min(bytes.count, unrepeated.count))
                return []
            }
        }
        unrepeated = []
        guard style.isResultTerminal else { return endLine() + [.result(bytes)] }
        return endLine() + [.result(Array(VisibleText.block(String(decoding: bytes, as: UTF8.self)).utf8))]
    }
}
