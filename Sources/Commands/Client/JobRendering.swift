import Core

/// A piece of what the person sees.
enum Rendered: Equatable {
    /// Bytes for standard output.
    case result([UInt8])
    /// Bytes for standard error.
    case note([UInt8])
    /// A line that is redrawn in place while nothing else happens; nil takes it away.
    case status(String?)

    /// A line for standard error.
    static func noteLine(_ text: String) -> Rendered { .note(Array((text + "\n").utf8)) }
}

/// What the two outputs are, for those who write to them.
struct OutputStyle: Equatable {
    var isResultTerminal = false
    var isNoteTerminal = false
    var usesColour = false

    /// Whether what is written to either appears in one place.
    var isOneTerminal: Bool { isResultTerminal && isNoteTerminal }

    /// Makes text recede, where the terminal can.
    func dim(_ text: String) -> String { usesColour ? "\u{1b}[2m\(text)\u{1b}[0m" : text }

    /// A dimmed line for standard error.
    func dimLine(_ text: String) -> Rendered { .noteLine(dim(text)) }
}

/// How a job's events are shown.
enum JobRendering {
    /// The events themselves, one a line.
    case events
    /// Output to output and errors to errors, as they are.
    case command(CommandRendering)
    case agent(AgentRendering)
    /// The agent's own lines.
    case agentLines(AgentLines)

    /// The rendering for people of a job of this kind.
    static func readable(_ kind: JobKind, style: OutputStyle) -> JobRendering {
        switch kind {
        case .command: .command(CommandRendering(style: style))
        case .claude: .agent(AgentRendering(style: style))
        }
    }

    /// The rendering for programs of a job of this kind.
    static func raw(_ kind: JobKind, style: OutputStyle) -> JobRendering {
        switch kind {
        case .command: .command(CommandRendering(style: style))
        case .claude: .agentLines(AgentLines())
        }
    }

    /// What a record looks like.
    mutating func render(_ record: LogRecord) -> [Rendered] {
        switch self {
        case .events: return []
        case .command(let rendering): return rendering.render(record)
        case .agent(var rendering):
            defer { self = .agent(rendering) }
            return rendering.render(record)
        case .agentLines(let rendering): return rendering.render(record)
        }
    }

    /// Whether all that was shown ended with a line's end, as far as that is known.
    var isBetweenLines: Bool {
        guard case .agent(let rendering) = self else { return false }
        return rendering.isAtLineStart
    }

    /// Forgets what was half shown, because the attempt was cut.
    mutating func restart() {
        if case .agent(let rendering) = self { self = .agent(AgentRendering(style: rendering.style)) }
    }

    /// What must still be shown before notes about the end.
    mutating func finish() -> [Rendered] {
        guard case .agent(var rendering) = self else { return [] }
        defer { self = .agent(rendering) }
        return rendering.finish()
    }
}

/// Shows a command's streams as they are.
struct CommandRendering {
    let style: OutputStyle

    func render(_ record: LogRecord) -> [Rendered] {
        switch record.stream {
        case .stdout: [.result(record.bytes)]
        case .stderr: [.note(record.bytes)]
        case .agent: []
        case .errand: ErrandNote.lines(record.bytes, style: style)
        }
    }
}

/// Shows the JSON lines that an agent wrote.
struct AgentLines {
    func render(_ record: LogRecord) -> [Rendered] {
        guard record.stream == .agent else { return [] }
        let isLast = record.part == record.parts
        return [.result(isLast ? record.bytes + [UInt8(ascii: "\n")] : record.bytes)]
    }
}

/// What Errand itself wrote into a job's log.
enum ErrandNote {
    static func lines(_ bytes: [UInt8], style: OutputStyle) -> [Rendered] {
        let text = VisibleText.block(String(decoding: bytes, as: UTF8.self))
        return text.split(separator: "\n").map { style.dimLine("errand: \($0)") }
    }
}
