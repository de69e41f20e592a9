import HTTP
import Platform
import Testing
import Transport

@Suite struct `Answers to clients that still send` {
    private static func head(_ fields: String) -> String { "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n" }

    @Test(arguments: Security.allCases, [false, true])
    func `a body that is too large is refused, and the refusal is read after all of it was sent`(
        _ security: Security,
        _ isChunked: Bool
    ) async throws {
        // Twice what the handler takes, and far more than sockets hold.
        let size = 8 << 20
        try await ServerFixture.run(security, respond: `Requests and responses`.echo) { fixture in
            let stream = try await fixture.connect()
            if isChunked {
                try await stream.write(Self.head("Transfer-Encoding: chunked") + String(size, radix: 16) + "\r\n")
            } else {
                try await stream.write(Self.head("Content-Length: \(size)"))
            }
            try await stream.write([UInt8](repeating: 65, count: size))
            if isChunked { try await stream.write("\r\n0\r\n\r\n") }
            let answer = await stream.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
            #expect(answer.contains("content-type: application/problem+json"))
            #expect(answer.contains("\"code\":\"body_too_large\""))
            if !isChunked { #expect(answer.contains("connection: close")) }
            // The control: what the handler takes comes back on a connection that is kept.
            let fits = try await fixture.client.send(
                method: .post,
                url: fixture.url("/"),
                body: [UInt8](repeating: 65, count: size / 2)
            )
            #expect(fits.status == 200 && fits.body.count == size / 2)
        }
    }

    @Test(arguments: Security.allCases) func `what is dropped after an answer is bounded`(
        _ security: Security
    ) async throws {
        var limits = ServerLimits()
        limits.lingeredBody = 1 << 20
        try await ServerFixture.run(security, limits: limits, respond: `Limits of a server`.hello) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(Self.head("Transfer-Encoding: chunked") + "7fffffff\r\n")
            var sent = 0
            while (try? await stream.write([UInt8](repeating: 65, count: 65_536))) != nil { sent += 65_536 }
            #expect(sent < 32 << 20)
            while fixture.server.connectionCount > 0 { await fixture.loop.sleep(.milliseconds(2)) }
        }
    }

    @Test func `the time of lingering is bounded, however the client trickles`() async throws {
        var limits = ServerLimits()
        limits.lingerTime = .milliseconds(100)
        try await ServerFixture.run(.plain, limits: limits, respond: { _ in HTTPResponse(status: 403) }) { fixture in
            let stream = try await fixture.connect()
            try await stream.write(Self.head("Content-Length: 10000000"))
            #expect(try await stream.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 403 "))
            let began = fixture.loop.now
            while fixture.server.connectionCount > 0 {
                try? await stream.write("x")
                await fixture.loop.sleep(.milliseconds(5))
            }
            #expect(fixture.loop.now - began < .seconds(2))
        }
    }
}
