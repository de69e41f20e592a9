import HTTP
import Platform
import Testing
import Transport

@Suite struct `WebSockets over sockets` {
    static let echo: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in
        HTTPResponse(
            status: 101,
            body: .webSocket(subprotocol: "errand.v1", limits: WebSocketLimits()) { channel in
                while let message = try? await channel.receive() {
                    switch message {
                    case .text(let text): try? await channel.send(text: Array(text.utf8))
                    case .binary(let bytes): try? await channel.send(binary: bytes)
                    }
                }
            }
        )
    }

    @Test(arguments: Security.allCases) func `messages come back as they went`(_ security: Security) async throws {
        try await ServerFixture.run(security, respond: Self.echo) { fixture in
            let (channel, headers) = try await fixture.client.webSocket(
                url: fixture.url("/", webSocket: true),
                subprotocols: ["errand.v1"]
            )
            #expect(headers["sec-websocket-protocol"] == "errand.v1")
            for size in [0, 1, 125, 126, 65_535, 65_536, 900_000] {
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
                try await channel.send(binary: bytes)
                #expect(try await channel.receive() == .binary(bytes))
            }
            try await channel.send(text: Array("grüße".utf8))
            #expect(try await channel.receive() == .text("grüße"))
            await channel.close(code: 1000, reason: "done")
            #expect(try await channel.receive() == nil)
            #expect(!channel.isOpen)
        }
    }

    @Test(arguments: Security.allCases) func `a plain request is told to upgrade`(_ security: Security) async throws {
        try await ServerFixture.run(security, respond: Self.echo) { fixture in
            let answer = try await fixture.client.send(method: .get, url: fixture.url("/"))
            #expect(answer.status == 426)
            #expect(answer.headers["upgrade"] == "websocket")
        }
    }

    @Test(arguments: Security.allCases) func `draining closes with 1001`(_ security: Security) async throws {
        try await ServerFixture.run(security, respond: Self.echo) { fixture in
            let (channel, _) = try await fixture.client.webSocket(url: fixture.url("/", webSocket: true))
            try await channel.send(text: Array("a".utf8))
            #expect(try await channel.receive() == .text("a"))
            let server = fixture.server
            fixture.loop.spawnLocal { await server.drain(deadline: .seconds(5)) }
            #expect(try await channel.receive() == nil)
        }
    }
}
