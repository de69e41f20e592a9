import Bytes
import HTTP
import Platform
import Testing
import Transport

@testable import Egress

@Suite struct ModelBrokerTests {
    static let ok: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in .json(200, [UInt8]("{}".utf8)) }

    private static func errorType(_ answer: ClientResponse) -> String? {
        let json = try? JSONReader.parse(answer.body)
        return json?["type"]?.string == "error" ? json?["error"]?["type"]?.string : nil
    }

    @Test func `a request reaches the model API with the real key and its query`() async throws {
        let seen = Seen()
        try await BrokerFixture.run(respond: { request in
            seen.note(request)
            return await Self.ok(request)
        }) { fixture in
            let status1 = try await fixture.post().status
            #expect(status1 == 200)
            let status2 = try await fixture.post("/v1/messages/count_tokens?beta=true").status
            #expect(status2 == 200)
            let host = "host=127.0.0.1:\(fixture.upstreamAddress.port)"
            let fields = "\(host) x-api-key=canary-key authorization= proxy-authorization="
            #expect(
                seen.all == [
                    "POST /v1/messages?beta=true \(fields)", "POST /v1/messages/count_tokens?beta=true \(fields)",
                ]
            )
            #expect(fixture.broker.statistics.requests == 2)
            #expect(fixture.broker.statistics.bytesSent == 4)
            #expect(fixture.broker.statistics.bytesReceived == 4)
        }
    }

    @Test(arguments: [
        ("POST /v1/messages HTTP/1.1", true), ("POST http://evil/v1/messages HTTP/1.1", true),
        ("POST //evil/v1/messages HTTP/1.1", false), ("POST /../v1/messages HTTP/1.1", false),
        ("POST /v1/messages/../models HTTP/1.1", false), ("POST /v1/models HTTP/1.1", false),
        ("GET /v1/messages HTTP/1.1", false),
    ])
    func `whatever a request says of hosts and keys, the upstream and the key stay what they are`(
        line: String,
        passes: Bool
    ) async throws {
        let seen = Seen()
        try await BrokerFixture.run(respond: { request in
            seen.note(request)
            return await Self.ok(request)
        }) { fixture in
            let host = line.contains("http://evil") ? "evil" : "evil.example"
            let answer = try await fixture.exchange(
                "\(line)\r\nHost: \(host)\r\nx-api-key: attacker\r\nAuthorization: Bearer attempt-token\r\n"
                    + "Proxy-Authorization: Basic eDp5\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
            )
            let expected =
                "POST /v1/messages host=127.0.0.1:\(fixture.upstreamAddress.port) x-api-key=canary-key "
                + "authorization= proxy-authorization="
            #expect(seen.all == (passes ? [expected] : []))
            #expect(answer.hasPrefix("HTTP/1.1 \(passes ? "200" : "40")"))
            #expect(!answer.contains("canary-key"))
        }
    }

    @Test func `a program that opens more connections than an agent needs is turned away`() async throws {
        try await BrokerFixture.run(respond: { await Self.ok($0) }) { fixture in
            var held: [any ByteStream] = []
            for _ in 0..<ModelBroker.connections { held.append(try await fixture.connect()) }
            let surplus = try await fixture.exchange("")
            #expect(surplus.hasPrefix("HTTP/1.1 503 "))
            // The control: one of the others still gets through, and a place that is given up is taken again.
            try await held[0].write(
                Array(
                    "POST /v1/messages HTTP/1.1\r\nHost: a\r\nx-api-key: attempt-token\r\nContent-Length: 2\r\n\r\n{}"
                        .utf8
                )
            )
            #expect(try await held[0].read(max: 12) == Array("HTTP/1.1 200".utf8))
            held.removeLast().close()
            while true {
                let answer = try await fixture.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                if answer.hasPrefix("HTTP/1.1 40") { break }
            }
            for stream in held { stream.close() }
        }
    }

    @Test(arguments: ["another-token", "", "canary-key"])
    func `a wrong token gets nowhere`(token: String) async throws {
        let seen = Seen()
        try await BrokerFixture.run(respond: { request in
            seen.note(request)
            return await Self.ok(request)
        }) { fixture in
            let headers = HTTPHeaders([("x-api-key", token)])
            let answer = try await fixture.client.send(method: .post, url: fixture.url(), headers: headers)
            #expect(answer.status == 401)
            #expect(Self.errorType(answer) == "authentication_error")
            #expect(seen.all.isEmpty)
            #expect(fixture.broker.statistics.refusals == 1)
            let status3 = try await fixture.post().status
            #expect(status3 == 200)
            #expect(seen.all.count == 1)
        }
    }

    @Test func `a redirect is not followed and carries no key anywhere`() async throws {
        let evil = Seen()
        try await BrokerFixture.run(respond: { request in
            var response = HTTPResponse(status: 307)
            response.headers.append(name: "location", value: request.queryValue("to") ?? "")
            return response
        }) { fixture in
            let server = try BrokerFixture.serve(fixture.loop) { request in
                evil.note(request)
                return await Self.ok(request)
            }
            let target = "http://127.0.0.1:\(server.address.port)/v1/messages"
            let answer = try await fixture.post("/v1/messages?to=\(target)")
            #expect(answer.status == 502)
            #expect(Self.errorType(answer) == "api_error")
            #expect(answer.headers["location"] == nil)
            #expect(evil.all.isEmpty)
            let deliberate = try #require(ClientURL(target))
            let status4 = try await fixture.client.send(method: .post, url: deliberate).status
            #expect(status4 == 200)
            #expect(evil.all.count == 1)
            await server.drain(deadline: .zero)
        }
    }

    @Test func `an upstream that is down is a 502 in the model API's own form`() async throws {
        try await BrokerFixture.run(respond: nil) { fixture in
            await fixture.dropUpstream()
            let answer = try await fixture.post()
            #expect(answer.status == 502)
            #expect(answer.headers["content-type"] == "application/json")
            #expect(Self.errorType(answer) == "api_error")
            #expect(fixture.broker.statistics.failures == 1)
            #expect(fixture.faults.count == 1)
            #expect(!fixture.faults.contains { $0.contains("canary-key") })
        }
    }

    @Test func `an upstream's error passes with its status, its fields and its body`() async throws {
        let body = [UInt8](#"{"type":"error","error":{"type":"rate_limit_error","message":"m"}}"#.utf8)
        try await BrokerFixture.run(respond: { _ in
            var response = HTTPResponse.json(429, body)
            response.headers.append(name: "retry-after", value: "7")
            response.headers.append(name: "request-id", value: "req_9")
            response.headers.append(name: "anthropic-ratelimit-unified-status", value: "rejected")
            response.headers.append(name: "anthropic-echo", value: "canary-key")
            response.headers.append(name: "set-cookie", value: "a=b")
            return response
        }) { fixture in
            let answer = try await fixture.post()
            #expect(answer.status == 429)
            #expect(answer.body == body)
            #expect(answer.headers["retry-after"] == "7")
            #expect(answer.headers["request-id"] == "req_9")
            #expect(answer.headers["anthropic-ratelimit-unified-status"] == "rejected")
            #expect(answer.headers["anthropic-echo"] == nil)
            #expect(answer.headers["set-cookie"] == nil)
        }
    }

    @Test func `a path prefix of the model URL is kept`() async throws {
        let seen = Seen()
        try await BrokerFixture.run(
            respond: { request in
                seen.note(request)
                return await Self.ok(request)
            },
            prefix: "/gateway/"
        ) { fixture in
            let status5 = try await fixture.post().status
            #expect(status5 == 200)
            #expect(seen.all.first?.hasPrefix("POST /gateway/v1/messages?beta=true ") == true)
        }
    }
}
