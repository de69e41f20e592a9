import HTTP
import Platform
import Testing
import Transport

@Suite struct `Limits of a server` {
    static let hello: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in .json(200, Array("hello".utf8)) }

    @Test(arguments: Security.allCases) func `a head that does not end is cut with 408`(
        _ security: Security
    ) async throws {
        var limits = ServerLimits()
        limits.headTimeout = .milliseconds(80)
        try await ServerFixture.run(security, limits: limits, respond: Self.hello) { fixture in
            let stream = try await fixture.connect()
            try await stream.write("GET / HTTP/1.1\r\nHost: a\r\n")
            let text = await stream.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 408 "))
            #expect(text.contains("connection: close"))
        }
    }

    @Test(arguments: Security.allCases) func `a client that says nothing is cut`(_ security: Security) async throws {
        var limits = ServerLimits()
        limits.headTimeout = .milliseconds(80)
        limits.idleTimeout = .milliseconds(80)
        try await ServerFixture.run(security, limits: limits, respond: Self.hello) { fixture in
            // Before TLS there is only the handshake's time, afterwards the idle time.
            let raw = try await StreamConnector.connect(
                to: [fixture.server.address],
                host: "127.0.0.1",
                tls: nil,
                on: fixture.loop,
                timeout: .seconds(5)
            )
            #expect(await raw.readToEnd().isEmpty)
        }
    }

    @Test(arguments: Security.allCases) func `an idle connection survives being parked`(
        _ security: Security
    ) async throws {
        var limits = ServerLimits()
        limits.parkingDelay = .zero
        try await ServerFixture.run(security, limits: limits, respond: Self.hello) { fixture in
            let stream = try await fixture.connect()
            for _ in 0..<3 {
                try await Self.exchange(stream)
                // One turn of the loop, in which the server's task parks.
                await fixture.loop.sleep(.zero)
            }
            #expect(fixture.server.connectionCount == 1)
        }
    }

    @Test(arguments: Security.allCases) func `a request in the turn that parks its connection is answered`(
        _ security: Security
    ) async throws {
        var limits = ServerLimits()
        let delay = Duration.milliseconds(20)
        limits.parkingDelay = delay
        limits.idleTimeout = .seconds(5)
        try await ServerFixture.run(security, limits: limits, respond: Self.hello) { fixture in
            let stream = try await fixture.connect()
            try await Self.exchange(stream)
            try await stream.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            // The loop is held until the timer is due too, so that it finds both in its next turn.
            let began = fixture.loop.now
            while fixture.loop.now - began < delay {}
            #expect(try await stream.read(until: "hello").hasSuffix("hello"))
            #expect(fixture.server.connectionCount == 1)
        }
    }

    private static func exchange(_ stream: any ByteStream) async throws {
        try await stream.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try await stream.read(until: "hello").hasSuffix("hello"))
    }

    @Test(arguments: Security.allCases) func `a body that stops is answered with 408`(_ security: Security) async throws
    {
        var limits = ServerLimits()
        limits.bodyIdleTimeout = .milliseconds(80)
        try await ServerFixture.run(security, limits: limits, respond: `Requests and responses`.echo) { fixture in
            let stream = try await fixture.connect()
            try await stream.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345")
            #expect(await stream.readToEnd().hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test func `a broken chunk is answered with 400 and nothing after it is executed`() async throws {
        try await ServerFixture.run(.plain, respond: `Requests and responses`.echo) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            let text = await stream.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 400 "))
            #expect(!text.contains("evil"))
        }
    }

    @Test func `a bad head is answered and closes`() async throws {
        try await ServerFixture.run(.plain, respond: Self.hello) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(
                "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
            )
            let text = await stream.readToEnd()
            #expect(text.ranges(of: "HTTP/1.1 ").count == 2)
            #expect(text.contains("HTTP/1.1 400 ") && text.contains("missing host"))
        }
    }

    @Test(arguments: Security.allCases) func `an unread body is drained`(_ security: Security) async throws {
        try await ServerFixture.run(security, respond: Self.hello) { fixture in
            for _ in 0..<3 {
                let answer = try await fixture.client.send(
                    method: .post,
                    url: fixture.url("/"),
                    body: [UInt8](repeating: 65, count: 100_000)
                )
                #expect(answer.status == 200)
            }
            #expect(fixture.server.connectionCount == 1)
        }
    }

    @Test(arguments: Security.allCases) func `an endless unread body closes the connection`(
        _ security: Security
    ) async throws {
        var limits = ServerLimits()
        limits.lingerTimeout = .milliseconds(100)
        try await ServerFixture.run(security, limits: limits, respond: Self.hello) { fixture in
            let answer = try await fixture.client.stream(
                method: .post,
                url: fixture.url("/"),
                body: .stream(length: nil) { [UInt8](repeating: 65, count: 16_384) }
            )
            #expect(answer.status == 200)
            #expect(try await answer.collect(limit: 100) == Array("hello".utf8))
            while fixture.server.connectionCount > 0 { await fixture.loop.sleep(.milliseconds(5)) }
        }
    }

    @Test func `connections over the bound are turned away with 503`() async throws {
        var limits = ServerLimits()
        limits.maximumConnections = 2
        try await ServerFixture.run(.plain, limits: limits, respond: Self.hello) { fixture in
            let first = try await fixture.connect()
            let second = try await fixture.connect()
            for stream in [first, second] {
                try await stream.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await stream.read(until: "hello").contains(" 200 "))
            }
            let third = try await fixture.connect()
            #expect(await third.readToEnd().hasPrefix("HTTP/1.1 503 "))
            first.close()
            while fixture.counter.total > 1 { await fixture.loop.sleep(.milliseconds(1)) }
            let fourth = try await fixture.connect()
            try await fourth.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await fourth.read(until: "hello").contains(" 200 "))
        }
    }

    @Test func `one address has a bound of its own unless it is a trusted proxy`() throws {
        var limits = ServerLimits()
        limits.perAddress = 1
        let counter = ConnectionCounter(limits: limits)
        let address = try #require(SocketAddress(host: "192.0.2.1", port: 1))
        let neighbour = try #require(SocketAddress(host: "192.0.2.2", port: 1))
        #expect(counter.admit(address, isTrustedProxy: false))
        #expect(!counter.admit(address, isTrustedProxy: false))
        #expect(counter.admit(address, isTrustedProxy: true))
        #expect(counter.admit(neighbour, isTrustedProxy: false))
        counter.release(address)
        counter.release(address)
        #expect(counter.admit(address, isTrustedProxy: false))
        #expect(counter.total == 2)
    }

    @Test func `a client waits for 100 Continue and gets it when the body is wanted`() async throws {
        try await ServerFixture.run(.plain, respond: `Requests and responses`.echo) { fixture in
            let stream = try await fixture.connect()
            try await stream.write("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            #expect(try await stream.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            try await stream.write("body")
            #expect(try await stream.read(until: "\r\n\r\nbody").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `a client that waits is refused without its body`() async throws {
        try await ServerFixture.run(.plain, respond: { _ in HTTPResponse(status: 403) }) { fixture in
            let stream = try await fixture.connect()
            try await stream.write("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
            let text = try await stream.read(until: "\r\n\r\n")
            #expect(text.hasPrefix("HTTP/1.1 403 ") && text.contains("connection: close"))
        }
    }
}
