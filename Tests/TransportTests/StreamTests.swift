import HTTP
import Platform
import Testing
import Transport

@Suite struct `Streaming responses` {
    @Test(arguments: Security.allCases) func `pieces arrive as they are written`(_ security: Security) async throws {
        try await ServerFixture.run(
            security,
            respond: { request in
                HTTPResponse(
                    status: 200,
                    body: .stream(length: nil) { writer in
                        // Each piece waits for the client to have sent one: nothing is held back on either side.
                        while let piece = try await request.body.next() {
                            try await writer.write(Array("got \(piece.count)".utf8))
                        }
                    }
                )
            }
        ) { fixture in
            let stream = try await fixture.connect()
            try await stream.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for size in 1...5 {
                try await stream.write("\(size)\r\n\(String(repeating: "x", count: size))\r\n")
                #expect(try await stream.read(until: "got \(size)\r\n").hasSuffix("5\r\ngot \(size)\r\n"))
            }
            try await stream.write("0\r\n\r\n")
            #expect(try await stream.read(until: "0\r\n\r\n") == "0\r\n\r\n")
        }
    }

    @Test(arguments: Security.allCases) func `a stream that fails is cut, not ended`(_ security: Security) async throws
    {
        try await ServerFixture.run(
            security,
            respond: { _ in
                HTTPResponse(
                    status: 200,
                    body: .stream(length: nil) { writer in
                        try await writer.write(Array("part".utf8))
                        throw DisconnectedError("the source is gone")
                    }
                )
            }
        ) { fixture in
            let answer = try await fixture.client.stream(method: .get, url: fixture.url("/"))
            await #expect(throws: HTTPClientError.self) { try await answer.collect(limit: 100) }
        }
    }

    @Test(arguments: [5, 6]) func `a body of another length than announced is cut`(_ length: Int) async throws {
        try await ServerFixture.run(
            .plain,
            respond: { _ in
                HTTPResponse(
                    status: 200,
                    body: .stream(length: length) { writer in
                        try await writer.write(Array("1234".utf8))
                        if length == 5 { try await writer.write(Array("56".utf8)) }
                    }
                )
            }
        ) { fixture in
            let answer = try await fixture.client.stream(method: .get, url: fixture.url("/"))
            await #expect(throws: HTTPClientError.self) { try await answer.collect(limit: 100) }
        }
    }

    @Test(arguments: Security.allCases) func `a stream that fails before its first byte is a problem`(
        _ security: Security
    ) async throws {
        try await ServerFixture.run(
            security,
            respond: { request in
                HTTPResponse(
                    status: 200,
                    body: .stream(length: nil) { _ in
                        if request.path == "/broken" { throw EventTooLargeError(limit: 1) }
                        throw ProblemError(Problem(status: 409, code: "gone", title: "Gone"))
                    }
                )
            }
        ) { fixture in
            let broken = try await fixture.client.send(method: .get, url: fixture.url("/broken"))
            #expect(broken.status == 500)
            let answer = try await fixture.client.send(method: .get, url: fixture.url("/problem"))
            #expect(answer.status == 409)
            #expect(String(decoding: answer.body, as: UTF8.self).contains("\"code\":\"gone\""))
            #expect(fixture.server.connectionCount == 1)
        }
    }

    @Test(arguments: Security.allCases) func `the head of a stream with nothing to say leaves all the same`(
        _ security: Security
    ) async throws {
        try await ServerFixture.run(
            security,
            respond: { _ in
                HTTPResponse(
                    status: 200,
                    body: .stream(length: nil) { writer in
                        let gone = LoopCondition()
                        writer.onDisconnect = { gone.signalAll() }
                        while writer.isOpen { await gone.wait() }
                    }
                )
            }
        ) { fixture in
            let answer = try await fixture.client.stream(method: .get, url: fixture.url("/"))
            #expect(answer.status == 200)
            answer.close()
        }
    }

    @Test func `a body of the announced length is kept alive`() async throws {
        try await ServerFixture.run(
            .plain,
            respond: { _ in
                HTTPResponse(status: 200, body: .stream(length: 4) { try await $0.write(Array("1234".utf8)) })
            }
        ) { fixture in
            for _ in 0..<3 {
                let answer = try await fixture.client.send(method: .get, url: fixture.url("/"))
                #expect(answer.body == Array("1234".utf8))
                #expect(answer.headers["content-length"] == "4")
            }
            #expect(fixture.server.connectionCount == 1)
        }
    }

    @Test(arguments: Security.allCases) func `a handler that waits hears that its client has gone`(
        _ security: Security
    ) async throws {
        let heard = Lock(false)
        try await ServerFixture.run(
            security,
            respond: { _ in
                HTTPResponse(
                    status: 200,
                    body: .stream(length: nil) { writer in
                        try await writer.write(ServerSentEvents.keepAlive)
                        let gone = LoopCondition()
                        writer.onDisconnect = { gone.signalAll() }
                        while writer.isOpen { await gone.wait() }
                        heard.withLock { $0 = true }
                    }
                )
            }
        ) { fixture in
            let answer = try await fixture.client.stream(method: .get, url: fixture.url("/"))
            #expect(try await answer.next() == ServerSentEvents.keepAlive)
            answer.close()
            while fixture.server.connectionCount > 0 { await fixture.loop.sleep(.milliseconds(2)) }
            #expect(heard.withLock { $0 })
        }
    }

    @Test func `an HTTP 1.0 client gets a stream that ends with the connection`() async throws {
        try await ServerFixture.run(
            .plain,
            respond: { _ in
                HTTPResponse(status: 200, body: .stream(length: nil) { try await $0.write(Array("1234".utf8)) })
            }
        ) { fixture in
            let stream = try await fixture.connect()
            try await stream.write("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let text = await stream.readToEnd()
            #expect(text.hasSuffix("\r\n\r\n1234"))
            #expect(!text.contains("transfer-encoding"))
        }
    }
}
