import Bytes
import HTTP
import Platform
import Testing
import Transport

@testable import Standin

@Suite struct StandinServerTests {
    private static func run(
        key: String? = nil,
        _ body: @escaping @Sendable (HTTPClient, ClientURL) async throws -> Void
    ) async throws {
        let loop = try EventLoop.start(name: "test")
        defer { loop.stop() }
        try await loop.run {
            let address = SocketAddress.ipv4([127, 0, 0, 1], port: 0)
            let listener = try ListeningSocket.bind(address, on: loop, reusePort: false, backlog: 16)
            let server = StandinServer(loop: loop, listener: listener, expectedKey: key)
            loop.spawnLocal { await server.run() }
            let url = try #require(ClientURL("http://127.0.0.1:\(server.address.port)/v1/messages?beta=true"))
            let client = HTTPClient(loop: loop, tls: nil)
            defer {
                client.close()
                server.close()
            }
            try await body(client, url)
        }
    }

    private static func ask(_ prompt: String, isStreamed: Bool = true) -> [UInt8] {
        var talk = Conversation(prompt)
        talk.isStreamed = isStreamed
        return talk.body()
    }

    private static func texts(_ answer: ClientResponse) throws -> String {
        var parser = SSEParser()
        return try parser.feed(answer.body).compactMap { try JSONReader.parse($0.data)["delta"]?["text"]?.string }
            .joined()
    }

    @Test func `an answer comes as events or as one document`() async throws {
        try await Self.run { client, url in
            let streamed = try await client.send(method: .post, url: url, body: Self.ask("standin: stream 500"))
            #expect(streamed.status == 200)
            #expect(streamed.headers["content-type"]?.hasPrefix("text/event-stream") == true)
            #expect(streamed.headers["request-id"] != nil)
            #expect(try Self.texts(streamed) == (1...500).map { "\($0) " }.joined())
            let whole = try await client.send(
                method: .post,
                url: url,
                body: Self.ask("standin: say hi", isStreamed: false)
            )
            #expect(try JSONReader.parse(whole.body)["content"]?.array?.first?["text"]?.string == "hi")
        }
    }

    @Test(arguments: [400, 401, 429, 500, 529])
    func `an error comes with its status and type`(status: Int) async throws {
        try await Self.run { client, url in
            let answer = try await client.send(method: .post, url: url, body: Self.ask("standin: error \(status)"))
            #expect(answer.status == status)
            #expect(try JSONReader.parse(answer.body)["type"]?.string == "error")
        }
    }

    @Test func `a cut answer breaks off, and asked without streaming it is whole`() async throws {
        try await Self.run { client, url in
            await #expect(throws: HTTPClientError.self) {
                try await client.send(method: .post, url: url, body: Self.ask("standin: cut"))
            }
            let whole = try await client.send(
                method: .post,
                url: url,
                body: Self.ask("standin: cut", isStreamed: false)
            )
            #expect(whole.status == 200)
        }
    }

    @Test func `a stalled answer begins and then stays silent`() async throws {
        try await Self.run { client, url in
            let answer = try await client.stream(method: .post, url: url, body: .bytes(Self.ask("standin: stall")))
            let first = try await answer.next() ?? []
            #expect(String(decoding: first, as: UTF8.self).hasPrefix("event: message_start\n"))
            answer.close()
        }
    }

    @Test func `a key is asked for when one is expected`() async throws {
        try await Self.run(key: "secret") { client, url in
            let body = Self.ask("standin: say hi")
            for fields in [[], [("x-api-key", "wrong")], [("authorization", "Bearer wrong")]] {
                let answer = try await client.send(method: .post, url: url, headers: HTTPHeaders(fields), body: body)
                #expect(answer.status == 401)
            }
            for fields in [[("x-api-key", "secret")], [("authorization", "Bearer secret")]] {
                let answer = try await client.send(method: .post, url: url, headers: HTTPHeaders(fields), body: body)
                #expect(answer.status == 200)
            }
        }
    }

    @Test func `tokens are counted and other paths are not found`() async throws {
        try await Self.run { client, url in
            let count = try #require(url.with(target: "/v1/messages/count_tokens?beta=true"))
            let answer = try await client.send(method: .post, url: count, body: Self.ask("hello"))
            #expect(try JSONReader.parse(answer.body)["input_tokens"]?.integer ?? 0 > 0)
            let models = try #require(url.with(target: "/v1/models"))
            let status1 = try await client.send(method: .get, url: models).status
            #expect(status1 == 404)
            let status2 = try await client.send(method: .get, url: url).status
            #expect(status2 == 405)
            let status3 = try await client.send(method: .post, url: url, body: [0x7b]).status
            #expect(status3 == 400)
        }
    }
}
