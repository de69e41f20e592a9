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

    private static let handshake =
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

    @Test(arguments: Security.allCases) func `bytes behind the head belong to the WebSocket`(
        _ security: Security
    ) async throws {
        try await ServerFixture.run(security, respond: Self.echo) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(Array(Self.handshake.utf8) + [0x82, 0x83, 0, 0, 0, 0, 1, 2, 3])
            var bytes: [UInt8] = []
            while !bytes.suffix(5).elementsEqual([0x82, 0x03, 1, 2, 3]) { bytes += try await stream.read(max: 1_024) }
            #expect(String(decoding: bytes, as: UTF8.self).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        }
    }

    @Test func `a ping is answered though nobody receives, and a violation closes with its code`() async throws {
        try await ServerFixture.run(
            .plain,
            respond: { _ in
                HTTPResponse(
                    status: 101,
                    body: .webSocket(subprotocol: nil, limits: WebSocketLimits()) { channel in
                        let gone = LoopCondition()
                        channel.onDisconnect = { gone.signalAll() }
                        while channel.isOpen { await gone.wait() }
                    }
                )
            }
        ) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(Self.handshake)
            _ = try await stream.read(until: "\r\n\r\n")
            try await stream.write([0x89, 0x81, 0, 0, 0, 0, 7])
            #expect(try await stream.read(max: 100) == [0x8A, 0x01, 7])
            try await stream.write([0x81, 0x01, 0x61])
            let close = try await stream.read(max: 100)
            #expect(close.first == 0x88 && close.dropFirst(2).prefix(2).elementsEqual([0x03, 0xEA]))
            #expect(await stream.readToEnd().isEmpty)
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.0", "Upgrade", "", 400), ("POST / HTTP/1.1", "Upgrade", "", 426),
        ("GET / HTTP/1.1", "keep-alive", "", 426), ("GET / HTTP/1.1", "Upgrade", "Content-Length: 1\r\n", 400),
        ("GET / HTTP/1.1", "keep-alive, Upgrade", "", 101),
    ])
    func `an upgrade is a GET in HTTP 1.1 that asks for it and has no body`(
        _ line: String,
        _ connection: String,
        _ more: String,
        _ status: Int
    ) async throws {
        try await ServerFixture.run(.plain, respond: Self.echo) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(
                "\(line)\r\nHost: a\r\nConnection: \(connection)\r\nUpgrade: websocket\r\n\(more)"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            #expect(try await stream.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    @Test func `a close without a code is answered without one`() async throws {
        try await ServerFixture.run(.plain, respond: Self.echo) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(Self.handshake)
            _ = try await stream.read(until: "\r\n\r\n")
            try await stream.write([0x88, 0x80, 0, 0, 0, 0])
            #expect(try await stream.read(max: 100) == [0x88, 0x00])
            #expect(await stream.readToEnd().isEmpty)
        }
    }

    @Test(arguments: Security.allCases) func `the sender of a message too large reads why, after all of it was sent`(
        _ security: Security
    ) async throws {
        try await ServerFixture.run(security, respond: Self.echo) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(Self.handshake)
            _ = try await stream.read(until: "\r\n\r\n")
            let size = 8 << 20
            let length = (0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * $0)) }
            try await stream.write([0x82, 0xFF] + length + [0, 0, 0, 0] + [UInt8](repeating: 7, count: size))
            let close = try await stream.read(max: 100)
            #expect(close.first == 0x88 && close.dropFirst(2).prefix(2).elementsEqual([0x03, 0xF1]))
            #expect(await stream.readToEnd().isEmpty)
        }
    }

    @Test func `messages go to whoever takes them as they come, the earlier ones first`() async throws {
        let taken = Lock<[WebSocketMessage]>([])
        try await ServerFixture.run(
            .plain,
            respond: { _ in
                HTTPResponse(
                    status: 101,
                    body: .webSocket(subprotocol: nil, limits: WebSocketLimits()) { channel in
                        await EventLoop.current?.sleep(.milliseconds(30))
                        let gone = LoopCondition()
                        channel.onDisconnect = { gone.signalAll() }
                        channel.onMessage = { message in taken.withLock { $0.append(message) } }
                        while channel.isOpen { await gone.wait() }
                    }
                )
            }
        ) { fixture in
            let (channel, _) = try await fixture.client.webSocket(url: fixture.url("/", webSocket: true))
            for number in 0..<100 { try await channel.send(text: Array("\(number)".utf8)) }
            await channel.close(code: 4000, reason: "")
            #expect(try await channel.receive() == nil)
            #expect(channel.closeCode == 4000)
            // The handler begins to take them only now, after the end, and gets them all.
            while fixture.server.connectionCount > 0 { await fixture.loop.sleep(.milliseconds(2)) }
            #expect(taken.withLock { $0 } == (0..<100).map { .text("\($0)") })
        }
    }

    @Test func `a silent peer is given up`() async throws {
        let limits = WebSocketLimits(pingInterval: .milliseconds(20), idleTimeout: .milliseconds(60))
        try await ServerFixture.run(
            .plain,
            respond: { _ in
                HTTPResponse(
                    status: 101,
                    body: .webSocket(subprotocol: nil, limits: limits) { channel in
                        await #expect(throws: DisconnectedError.self) { _ = try await channel.receive() }
                    }
                )
            }
        ) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(Self.handshake)
            let text = await stream.readToEnd()
            #expect(text.utf8.filter { $0 == 0x89 }.isEmpty == false || text.contains("\u{FFFD}"))
        }
    }

    @Test(arguments: Security.allCases) func `two senders do not mix their frames`(_ security: Security) async throws {
        let large = [UInt8](repeating: 1, count: 700_000)
        try await ServerFixture.run(
            security,
            respond: { _ in
                HTTPResponse(
                    status: 101,
                    body: .webSocket(subprotocol: nil, limits: WebSocketLimits()) { channel in
                        let loop = EventLoop.current
                        for _ in 0..<4 {
                            loop?.spawnLocal { try? await channel.send(binary: large) }
                            loop?.spawnLocal { try? await channel.send(text: Array("small".utf8)) }
                        }
                        while let message = try? await channel.receive(), message != .text("end") {}
                    }
                )
            }
        ) { fixture in
            let (channel, _) = try await fixture.client.webSocket(url: fixture.url("/", webSocket: true))
            var sizes: [Int] = []
            for _ in 0..<8 {
                switch try await channel.receive() {
                case .binary(let bytes): sizes.append(bytes == large ? bytes.count : -1)
                case .text(let text): sizes.append(text.utf8.count)
                case nil: sizes.append(-2)
                }
            }
            #expect(sizes.sorted() == [5, 5, 5, 5] + [Int](repeating: large.count, count: 4))
            try await channel.send(text: Array("end".utf8))
            #expect(try await channel.receive() == nil)
        }
    }
}
