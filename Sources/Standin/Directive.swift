import Bytes

/// One thing that a prompt asks the stand-in to do.
enum Directive: Equatable {
    case say(String)
    /// So many pieces of text, each its own event.
    case stream(Int)
    case sleep(Duration)
    case tool(name: String, input: JSONObject)
    case error(Int)
    /// Start an answer and then be silent.
    case stall
    /// Start an answer and then drop the connection.
    case cut
    /// Something that starts like a directive but is none.
    case misspelt(String)

    /// What a line must start with.
    static let prefix = "standin: "
    /// A day; a prompt that waits longer has lost its reader.
    private static let longestSleep = 86_400.0
    /// As many deltas as the longest answer of a real model has.
    private static let longestStream = 100_000

    /// The directives of a text, one a line, in order.
    static func all(in text: some StringProtocol) -> [Directive] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let trimmed = line.drop { $0 == " " || $0 == "\t" }
            return trimmed.hasPrefix(prefix) ? Directive(trimmed.dropFirst(prefix.count)) : nil
        }
    }

    private init(_ words: some StringProtocol) {
        let (verb, rest) = Self.split(words)
        switch verb {
        case "say": self = .say(rest)
        case "bash" where !rest.isEmpty:
            self = .tool(name: "Bash", input: Self.input(("command", rest), ("description", "Carry out the prompt")))
        case "write":
            let (file, text) = Self.split(rest)
            self =
                file.isEmpty
                ? .misspelt(String(words))
                : .tool(name: "Write", input: Self.input(("file_path", file), ("content", text)))
        case "read" where !rest.isEmpty: self = .tool(name: "Read", input: Self.input(("file_path", rest)))
        case "ask" where !rest.isEmpty: self = .tool(name: "AskUserQuestion", input: Self.question(rest))
        case "stall": self = .stall
        case "cut": self = .cut
        default: self = Self.numbered(verb, rest) ?? Self.anyTool(verb, rest) ?? .misspelt(String(words))
        }
    }

    private static func numbered(_ verb: String, _ rest: String) -> Directive? {
        switch verb {
        case "sleep":
            guard let seconds = Double(rest), (0...longestSleep).contains(seconds) else { return nil }
            return .sleep(.milliseconds(Int64(seconds * 1_000)))
        case "stream":
            guard let count = Int(rest), (1...longestStream).contains(count) else { return nil }
            return .stream(count)
        case "error":
            guard let status = Int(rest), (400...599).contains(status) else { return nil }
            return .error(status)
        default: return nil
        }
    }

    private static func anyTool(_ verb: String, _ rest: String) -> Directive? {
        let (name, json) = split(rest)
        guard verb == "tool", !name.isEmpty,
            case .object(let input)? = try? JSONReader.parse([UInt8](json.utf8))
        else { return nil }
        return .tool(name: name, input: input)
    }

    private static func split(_ words: some StringProtocol) -> (String, String) {
        guard let space = words.firstIndex(of: " ") else { return (String(words), "") }
        return (String(words[..<space]), String(words[words.index(after: space)...]))
    }

    private static func input(_ members: (String, String)...) -> JSONObject {
        JSONObject(members.map { ($0.0, .string($0.1)) })
    }

    private static func question(_ text: String) -> JSONObject {
        let options = ["Yes", "No"].map { label in
            JSONValue.object(input(("label", label), ("description", "Answer with \(label.lowercased())")))
        }
        let question = JSONObject([
            ("question", .string(text)), ("header", .string("Question")), ("options", .array(options)),
            ("multiSelect", .bool(false)),
        ])
        return JSONObject([("questions", .array([.object(question)]))])
    }
}
