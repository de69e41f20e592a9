import HTTP
import Platform
import Testing
import Transport

@Suite struct `The client` {
    @Test(arguments: [
        ("https://a.example", "https", "a.example", 443, "/"), ("http://A:81/x?y", "http", "a", 81, "/x?y"),
        ("ws://[::1]:8080/s", "ws", "::1", 8080, "/s"), ("wss://a?b", "wss", "a", 443, "/?b"),
    ])
    func `a URL is split`(_ text: String, _ scheme: String, _ host: String, _ port: Int, _ target: String) throws {
        let url = try #require(ClientURL(text))
        #expect(url.scheme == scheme && url.host == host && url.port == UInt16(port) && url.target == target)
    }

    @Test(arguments: [
        "", "a", "ftp://a/", "http://", "http:///x", "http://u@a/", "http://a:0/", "http://a:65536/", "http://a:x/",
        "http://a/#f", "http://a /", "http://[::1", "http://[a]/", "http://a/\u{FC}", "http://a\\b/",
    ])
    func `a URL that cannot be used is refused`(_ text: String) {
        #expect(ClientURL(text) == nil)
    }

    @Test func `a connection closed by the server is replaced`() async throws {
        var limits = ServerLimits()
        limits.idleTimeout = .milliseconds(50)
        try await ServerFixture.run(.plain, limits: limits, respond: `Limits of a server`.hello) { fixture in
            for _ in 0..<2 {
                let answer = try await fixture.client.send(method: .get, url: fixture.url("/"))
                #expect(answer.status == 200)
                while fixture.server.connectionCount > 0 { await fixture.loop.sleep(.milliseconds(5)) }
            }
        }
    }

    @Test func `an answer that does not come is a timeout`() async throws {
        var limits = ClientLimits()
        limits.responseTimeout = .milliseconds(50)
        try await ServerFixture.run(
            .plain,
            clientLimits: limits,
            respond: { _ in
                await EventLoop.current?.sleep(.milliseconds(300))
                return .noContent
            }
        ) { fixture in
            do {
                _ = try await fixture.client.send(method: .get, url: fixture.url("/"))
                Issue.record("an answer came")
            } catch HTTPClientError.timeout {
            }
        }
    }

    @Test func `a body over the limit is refused`() async throws {
        var limits = ClientLimits()
        limits.body = 4
        try await ServerFixture.run(.plain, clientLimits: limits, respond: `Limits of a server`.hello) { fixture in
            do {
                _ = try await fixture.client.send(method: .get, url: fixture.url("/"))
                Issue.record("the body was taken")
            } catch HTTPClientError.bodyTooLarge {
            }
        }
    }

    @Test func `nobody listening is unreachable`() async throws {
        try await ServerFixture.run(.plain, respond: `Limits of a server`.hello) { fixture in
            let url = try #require(ClientURL("http://127.0.0.1:1/"))
            do {
                _ = try await fixture.client.send(method: .get, url: url)
                Issue.record("somebody answered")
            } catch HTTPClientError.unreachable {
            }
        }
    }

    @Test func `an upload of another length than announced fails`() async throws {
        try await ServerFixture.run(.plain, respond: `Requests and responses`.echo) { fixture in
            for length in [3, 5] {
                var pieces = [Array("1234".utf8)]
                await #expect(throws: HTTPClientError.self) {
                    _ = try await fixture.client.stream(
                        method: .put,
                        url: fixture.url("/"),
                        body: .stream(length: length) { pieces.popLast() }
                    )
                }
            }
        }
    }
}
