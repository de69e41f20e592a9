import Bytes

/// Writes an answer in the two forms of the Messages API.
struct MessageEncoder {
    let reply: StandinReply
    /// Tells this answer's ids from those of any other.
    let nonce: UInt64

    private var messageID: String { "msg_standin_" + String(nonce, radix: 36) }

    /// The whole message as one document.
    func document() -> [UInt8] {
        message(
            content: { json in
                for (index, block) in reply.blocks.enumerated() {
                    switch block {
                    case .text(let pieces): textBlock(pieces.joined(), in: &json)
                    case .toolUse(let name, let input): toolBlock(index, name, input, in: &json)
                    }
                }
            },
            stopReason: reply.stopReason,
            outputTokens: reply.outputTokens
        )
    }

    /// The event that begins a stream.
    func opening() -> [UInt8] {
        event("message_start") { json in
            json.memberRaw("message", message(content: { _ in }, stopReason: nil, outputTokens: 1))
        }
    }

    /// A sign of life while the model thinks.
    func ping() -> [UInt8] { event("ping") { _ in } }

    /// The events of the block at `index`, each in its own piece.
    func block(at index: Int) -> [[UInt8]] {
        let start = event("content_block_start") { json in
            json.member("index", index)
            json.key("content_block")
            switch reply.blocks[index] {
            case .text: textBlock("", in: &json)
            case .toolUse(let name, _): toolBlock(index, name, JSONObject(), in: &json)
            }
        }
        let deltas =
            switch reply.blocks[index] {
            case .text(let pieces): pieces.map { delta(index, "text_delta", "text", $0) }
            case .toolUse(_, let input):
                [
                    delta(
                        index,
                        "input_json_delta",
                        "partial_json",
                        String(decoding: JSONValue.object(input).encoded(), as: UTF8.self)
                    )
                ]
            }
        return [start] + deltas + [event("content_block_stop") { $0.member("index", index) }]
    }

    /// The events that end a stream.
    func closing() -> [[UInt8]] {
        [
            event("message_delta") { json in
                json.key("delta")
                json.beginObject()
                json.member("stop_reason", reply.stopReason)
                json.key("stop_sequence")
                json.null()
                json.endObject()
                json.key("usage")
                json.beginObject()
                json.member("output_tokens", reply.outputTokens)
                json.endObject()
            },
            event("message_stop") { _ in },
        ]
    }

    private func message(
        content: (inout JSONWriter) -> Void,
        stopReason: String?,
        outputTokens: Int
    ) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("id", messageID)
        json.member("type", "message")
        json.member("role", "assistant")
        json.member("model", reply.model)
        json.key("content")
        json.beginArray()
        content(&json)
        json.endArray()
        json.member("stop_reason", stopReason)
        json.key("stop_sequence")
        json.null()
        json.key("usage")
        json.beginObject()
        json.member("input_tokens", reply.inputTokens)
        json.member("cache_creation_input_tokens", 0)
        json.member("cache_read_input_tokens", 0)
        json.member("output_tokens", outputTokens)
        json.endObject()
        json.endObject()
        return json.bytes
    }

    private func textBlock(_ text: String, in json: inout JSONWriter) {
        json.beginObject()
        json.member("type", "text")
        json.member("text", text)
        json.endObject()
    }

    private func toolBlock(_ index: Int, _ name: String, _ input: JSONObject, in json: inout JSONWriter) {
        json.beginObject()
        json.member("type", "tool_use")
        json.member("id", "toolu_standin_\(String(nonce, radix: 36))_\(index)")
        json.member("name", name)
        json.member("input", .object(input))
        json.endObject()
    }

    private func delta(_ index: Int, _ type: String, _ member: String, _ text: String) -> [UInt8] {
        event("content_block_delta") { json in
            json.member("index", index)
            json.key("delta")
            json.beginObject()
            json.member("type", type)
            json.member(member, text)
            json.endObject()
        }
    }

    private func event(_ type: String, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", type)
        members(&json)
        json.endObject()
        return [UInt8]("event: \(type)\ndata: ".utf8) + json.bytes + [0x0a, 0x0a]
    }
}
