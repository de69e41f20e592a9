import Bytes

/// The mind of the stand-in: a request of the Messages API in, the answer out, nothing remembered in between.
package enum StandinScript {
    /// The Messages API takes 32 MB.
    package static let bodyLimit = 32 << 20

    /// What to answer when a prompt holds no directive.
    static let introduction = """
        This is Errand's model stand-in, not a language model: it only carries out directives, one a line, such as \
        `standin: bash ls -la`, `standin: write notes.txt hello`, `standin: read notes.txt`, `standin: say done`. \
        To have a real model answer, set ANTHROPIC_API_KEY for `errand up` and start it again.
        """
    private static let conclusion = "Errand's model stand-in has carried out every directive of the prompt."

    /// Answers a request to `/v1/messages`.
    package static func reply(to body: [UInt8]) throws(StandinError) -> StandinReply {
        let request = try parse(body)
        var reply = StandinReply(
            wait: .zero,
            blocks: [],
            ending: .whole,
            model: request["model"]?.string ?? "stand-in",
            isStreamed: request["stream"]?.bool ?? false,
            inputTokens: tokens(in: body)
        )
        guard let (directives, answered) = newestDirectives(in: request["messages"]?.array ?? []) else {
            reply.blocks = [.text([introduction])]
            return reply
        }
        carryOut(step(answered, of: directives), in: &reply)
        return reply
    }

    /// Answers a request to `/v1/messages/count_tokens`.
    package static func count(_ body: [UInt8]) throws(StandinError) -> [UInt8] {
        _ = try parse(body)
        var json = JSONWriter()
        json.beginObject()
        json.member("input_tokens", tokens(in: body))
        json.endObject()
        return json.bytes
    }

    private static func parse(_ body: [UInt8]) throws(StandinError) -> JSONValue {
        let limits = JSONLimits(
            maximumDepth: 256,
            maximumBytes: bodyLimit,
            maximumMembers: 1_000_000,
            maximumValues: 1_000_000
        )
        guard let request = try? JSONReader.parse(body, limits: limits), request["messages"]?.array != nil else {
            throw StandinError(status: 400, message: "the body is not a JSON object with messages")
        }
        return request
    }

    private static func tokens(in body: [UInt8]) -> Int { max(1, body.count / 4) }

    /// The directives of the newest user message that has any, and how many answers came after it.
    private static func newestDirectives(in messages: [JSONValue]) -> (directives: [Directive], answered: Int)? {
        var answered = 0
        for message in messages.reversed() {
            switch message["role"]?.string {
            case "assistant": answered += 1
            case "user":
                let directives = texts(of: message).flatMap { Directive.all(in: $0) }
                if !directives.isEmpty { return (directives, answered) }
            default: break
            }
        }
        return nil
    }

    /// What a person wrote, without what the agent put beside it.
    private static func texts(of message: JSONValue) -> [String] {
        let texts =
            message["content"]?.string.map { [$0] }
            ?? message["content"]?.array?.filter { $0["type"]?.string == "text" }.compactMap { $0["text"]?.string }
            ?? []
        return texts.filter { !$0.hasPrefix("<system-reminder>") }
    }

    /// The directives of one answer: everything up to and with a tool call, or up to what ends the conversation.
    private static func step(_ number: Int, of directives: [Directive]) -> ArraySlice<Directive> {
        var rest = directives[...]
        for _ in 0..<number { rest = rest.dropFirst(firstStep(of: rest).count) }
        return firstStep(of: rest)
    }

    private static func firstStep(of directives: ArraySlice<Directive>) -> ArraySlice<Directive> {
        let last = directives.firstIndex { directive in
            switch directive {
            case .tool, .error, .stall, .cut: true
            case .say, .stream, .sleep, .misspelt: false
            }
        }
        return last.map { directives[...$0] } ?? directives
    }

    private static func carryOut(_ directives: ArraySlice<Directive>, in reply: inout StandinReply) {
        for directive in directives {
            switch directive {
            case .say(let text): reply.blocks.append(.text([text]))
            case .stream(let count): reply.blocks.append(.text((1...count).map { "\($0) " }))
            case .sleep(let duration): reply.wait += duration
            case .tool(let name, let input): reply.blocks.append(.toolUse(name: name, input: input))
            case .error(let status):
                reply.ending = .error(status: status, message: "the stand-in was told to answer \(status)")
            case .stall: reply.ending = .stall
            // The whole answer is what a client that asks again without streaming gets.
            case .cut:
                reply.blocks.append(.text(["The stream of this answer ", "was cut."]))
                reply.ending = reply.isStreamed ? .cut : .whole
            case .misspelt(let words): reply.blocks.append(.text(["The stand-in knows no directive `\(words)`."]))
            }
        }
        if reply.blocks.isEmpty, reply.ending == .whole { reply.blocks = [.text([conclusion])] }
    }
}
