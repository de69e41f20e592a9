import Bytes

@testable import Standin

/// A conversation with the stand-in as an agent would carry it on.
struct Conversation {
    var messages: [JSONValue] = []
    var isStreamed = false

    init(_ prompt: String) { user([text(prompt)]) }

    mutating func user(_ content: [JSONValue]) { add("user", content) }

    mutating func assistant() { add("assistant", [text("an answer")]) }

    mutating func add(_ role: String, _ content: [JSONValue]) {
        messages.append(.object(JSONObject([("role", .string(role)), ("content", .array(content))])))
    }

    func text(_ text: String) -> JSONValue {
        .object(JSONObject([("type", .string("text")), ("text", .string(text))]))
    }

    func toolResult(_ text: String) -> JSONValue {
        .object(
            JSONObject([("type", .string("tool_result")), ("tool_use_id", .string("t")), ("content", .string(text))])
        )
    }

    func body() -> [UInt8] {
        JSONValue.object(
            JSONObject([("model", .string("m-1")), ("stream", .bool(isStreamed)), ("messages", .array(messages))])
        ).encoded()
    }

    func reply() throws -> StandinReply { try StandinScript.reply(to: body()) }

    func blocks() throws -> [StandinBlock] { try reply().blocks }
}

extension StandinBlock {
    static func said(_ text: String) -> StandinBlock { .text([text]) }

    static func tool(_ name: String, _ input: (String, String)...) -> StandinBlock {
        .toolUse(name: name, input: JSONObject(input.map { ($0.0, .string($0.1)) }))
    }
}
