import Bytes
import Testing

@testable import Standin

@Suite struct StandinScriptTests {
    @Test func `directives are carried out in order, one tool call an answer`() throws {
        var talk = Conversation(
            """
            standin: say first
            standin: bash ls -la; echo "a  b"
            standin: write notes.txt hello  world
              standin: read notes.txt
            standin: say all done
            """
        )
        #expect(
            try talk.blocks() == [
                .said("first"),
                .tool("Bash", ("command", #"ls -la; echo "a  b""#), ("description", "Carry out the prompt")),
            ]
        )
        talk.assistant()
        talk.user([talk.toolResult("standin: say injected")])
        #expect(
            try talk.blocks() == [.tool("Write", ("file_path", "notes.txt"), ("content", "hello  world"))]
        )
        talk.assistant()
        talk.user([talk.toolResult("ok")])
        #expect(try talk.blocks() == [.tool("Read", ("file_path", "notes.txt"))])
        talk.assistant()
        talk.user([talk.toolResult("hello")])
        #expect(try talk.blocks() == [.said("all done")])
        #expect(try talk.reply().stopReason == "end_turn")
    }

    @Test func `a prompt that ends with a tool is answered with a plain word`() throws {
        var talk = Conversation("standin: bash true")
        #expect(try talk.reply().stopReason == "tool_use")
        talk.assistant()
        talk.user([talk.toolResult("")])
        #expect(try talk.blocks() == [.said("Errand's model stand-in has carried out every directive of the prompt.")])
    }

    @Test func `without a directive it says what it is and how to get a real model`() throws {
        let blocks = try Conversation("please write a poem").blocks()
        guard case .text(let pieces)? = blocks.first else {
            Issue.record("no text was answered")
            return
        }
        #expect(pieces.joined().contains("stand-in, not a language model"))
        #expect(pieces.joined().contains("ANTHROPIC_API_KEY"))
    }

    @Test func `a later prompt starts its own count and reminders are no prompt`() throws {
        var talk = Conversation("standin: say one")
        talk.assistant()
        talk.user([talk.text("<system-reminder>\nstandin: say reminder"), talk.text("go\nstandin: say two")])
        talk.add("system", [talk.text("standin: say system")])
        #expect(try talk.blocks() == [.said("two")])
    }

    @Test func `a synthetic turn of the agent leaves the count where it is`() throws {
        var talk = Conversation("standin: bash one\nstandin: bash two\nstandin: say three")
        talk.assistant()
        talk.user([talk.text("Output token limit hit. Resume directly")])
        talk.assistant()
        #expect(try talk.blocks() == [.said("three")])
    }

    @Test(arguments: [
        ("sleep x", "sleep x"), ("sleep -1", "sleep -1"), ("stream 0", "stream 0"), ("error 200", "error 200"),
        ("bash", "bash"), ("write", "write"), ("dance", "dance"), ("tool Glob {", "tool Glob {"),
    ])
    func `a misspelt directive is named`(line: String, named: String) throws {
        #expect(try Conversation("standin: \(line)").blocks() == [.said("The stand-in knows no directive `\(named)`.")])
    }

    @Test func `a question becomes the agent's question tool`() throws {
        guard case .toolUse(let name, let input)? = try Conversation("standin: ask Which one?").blocks().first else {
            Issue.record("no tool was called")
            return
        }
        #expect(name == "AskUserQuestion")
        #expect(input["questions"]?.array?.first?["question"]?.string == "Which one?")
    }

    @Test func `any tool can be called with input of one's own`() throws {
        #expect(
            try Conversation(#"standin: tool Glob {"pattern":"*"}"#).blocks() == [.tool("Glob", ("pattern", "*"))]
        )
    }

    @Test func `sleep waits, stream comes in pieces`() throws {
        let reply = try Conversation("standin: sleep 1.5\nstandin: stream 3").reply()
        #expect(reply.wait == .milliseconds(1_500))
        #expect(reply.blocks == [.text(["1 ", "2 ", "3 "])])
    }

    @Test func `errors, stalls and cuts end an answer`() throws {
        #expect(
            try Conversation("standin: error 529\nstandin: say never").reply().ending
                == .error(status: 529, message: "the stand-in was told to answer 529")
        )
        #expect(try Conversation("standin: stall").reply().ending == .stall)
        var cut = Conversation("standin: cut")
        #expect(try cut.reply().ending == .whole)
        cut.isStreamed = true
        #expect(try cut.reply().ending == .cut)
    }

    @Test(arguments: ["", "[]", "{}", #"{"messages":1}"#, "{\"messages\":[]"])
    func `a body that is no request is refused`(body: String) {
        #expect(throws: StandinError.self) { try StandinScript.reply(to: [UInt8](body.utf8)) }
    }

    @Test(arguments: [
        (400, "invalid_request_error"), (401, "authentication_error"), (404, "not_found_error"),
        (429, "rate_limit_error"), (500, "api_error"), (529, "overloaded_error"),
    ])
    func `an error has the type of its status`(status: Int, type: String) throws {
        let json = try JSONReader.parse(StandinError(status: status, message: "m").encoded(requestID: "req_1"))
        #expect(json["type"]?.string == "error")
        #expect(json["error"]?["type"]?.string == type)
        #expect(json["request_id"]?.string == "req_1")
    }

    @Test func `the whole form and the streamed form carry the same message`() throws {
        let reply = try Conversation("standin: say hi \"there\"\nstandin: bash ls").reply()
        let encoder = MessageEncoder(reply: reply, nonce: 35)
        let whole = try JSONReader.parse(encoder.document())
        #expect(whole["id"]?.string == "msg_standin_z")
        #expect(whole["stop_reason"]?.string == "tool_use")
        #expect(whole["content"]?.array?.count == 2)
        let events = [encoder.opening()] + reply.blocks.indices.flatMap { encoder.block(at: $0) } + encoder.closing()
        let parsed = try events.map { event in
            let lines = String(decoding: event, as: UTF8.self).split(separator: "\n")
            let json = try JSONReader.parse([UInt8](lines[1].dropFirst("data: ".count).utf8))
            #expect(lines[0] == "event: \(json["type"]?.string ?? "")")
            return json
        }
        #expect(
            parsed.map { $0["type"]?.string } == [
                "message_start", "content_block_start", "content_block_delta", "content_block_stop",
                "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop",
            ]
        )
        #expect(parsed[2]["delta"]?["text"]?.string == "hi \"there\"")
        let input = try JSONReader.parse([UInt8]((parsed[5]["delta"]?["partial_json"]?.string ?? "").utf8))
        #expect(input == whole["content"]?.array?.last?["input"])
    }
}
