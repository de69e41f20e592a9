import Bytes

/// One line for each thing that an agent does beside talking.
enum AgentSummary {
    /// Fits a terminal of common width beside the marks.
    private static let limit = 100

    /// A call of a tool: its name and what it is about.
    static func call(_ block: JSONValue) -> String {
        let name = VisibleText.line(block["name"]?.string ?? "tool", limit: 40)
        let subject = subject(of: block["input"])
        return subject.isEmpty ? "→ \(name)" : "→ \(name): \(VisibleText.line(subject, limit: limit))"
    }

    /// What a tool gave back: its first line, and how many there are.
    static func result(_ block: JSONValue) -> String {
        let text = text(of: block["content"])
        let lines = text.split(separator: "\n").filter { !$0.allSatisfy(\.isWhitespace) }
        let mark = block["is_error"]?.bool == true ? "← error: " : "← "
        guard let first = lines.first else { return mark + "nothing" }
        let more = lines.count > 1 ? " … \(lines.count) lines" : ""
        return mark + VisibleText.line(first, limit: limit) + more
    }

    /// What else a person should hear of; nil for what needs no words.
    static func note(_ message: JSONValue) -> String? {
        switch (message["type"]?.string, message["subtype"]?.string) {
        case ("system", "init"):
            let version = message["claude_code_version"]?.string.map { "claude \($0)" } ?? "the agent"
            return line("\(version) begins, model \(message["model"]?.string ?? "unknown")")
        case ("system", "api_retry"):
            let status = message["error_status"]?.integer.map { " with \($0)" } ?? ""
            return line("the model refused\(status): \(message["error"]?.string ?? "unknown"); trying again")
        case ("system", "permission_denied"):
            return line(
                "denied \(message["tool_name"]?.string ?? "a tool"): \(message["message"]?.string ?? "no reason")"
            )
        case ("system", "informational"), ("system", "model_fallback"):
            return message["content"]?.string.map { line($0) }
        case ("rate_limit_event", _):
            guard message["rate_limit_info"]?["status"]?.string == "rejected" else { return nil }
            return "the model's provider refuses further use for now"
        default: return nil
        }
    }

    /// The parts of common tools' inputs that say most, the most telling first.
    private static let telling = [
        "command", "file_path", "notebook_path", "pattern", "query", "url", "description", "skill", "prompt",
    ]

    private static func subject(of input: JSONValue?) -> String {
        for name in telling {
            if let text = input?[name]?.string { return text }
        }
        guard let input, input.object?.count ?? 0 > 0 else { return "" }
        return String(decoding: input.encoded().prefix(4 * limit), as: UTF8.self)
    }

    private static func text(of content: JSONValue?) -> String {
        if let text = content?.string { return text }
        let blocks = content?.array ?? []
        return blocks.map { $0["text"]?.string ?? "[\($0["type"]?.string ?? "data")]" }.joined(separator: "\n")
    }

    private static func line(_ text: String) -> String { VisibleText.line(text, limit: 2 * limit) }
}
