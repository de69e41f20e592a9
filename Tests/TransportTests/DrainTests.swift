import HTTP
import Platform
import Testing
import Transport

@Suite struct `Draining a server` {
    @Test(arguments: Security.allCases) func `an accepted request is finished, idle connections close`(
        _ security: Security
    ) async throws {
        let began = Lock(false)
        try await ServerFixture.run(
            security,
            respond: { request in
                if request.path == "/slow" {
                    began.withLock { $0 = true }
                    await EventLoop.current?.sleep(.milliseconds(60))
                }
                return .json(200, Array("finished".utf8))
            }
        ) { fixture in
            let idle = try await fixture.connect()
            try await idle.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await idle.read(until: "finished")
            let busy = try await fixture.connect()
            try await busy.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            while !began.withLock({ $0 }) { await fixture.loop.sleep(.milliseconds(1)) }
            await fixture.server.drain(deadline: .seconds(5))
            #expect(fixture.server.connectionCount == 0)
            #expect(await idle.readToEnd().isEmpty)
            let text = await busy.readToEnd()
            #expect(text.hasSuffix("finished"))
            #expect(text.contains("connection: close"))
        }
    }

    @Test func `what is left at the deadline is cut`() async throws {
        try await ServerFixture.run(
            .plain,
            respond: { _ in
                HTTPResponse(
                    status: 200,
                    body: .stream(length: nil) { writer in
                        while true {
                            try await writer.write(Array("x".utf8))
                            await EventLoop.current?.sleep(.milliseconds(10))
                        }
                    }
                )
            }
        ) { fixture in
            let stream = try await fixture.connect()
            try await stream.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await stream.read(until: "x")
            await fixture.server.drain(deadline: .milliseconds(50))
            #expect(fixture.server.connectionCount == 0)
        }
    }
}
