import HTTP
import Platform
import Testing
import Transport

@Suite struct `Requests and responses` {
    static let echo: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
        do throws(BodyError) {
            let body = try await request.body.collect(limit: 1 << 22)
            var response = HTTPResponse.json(200, body)
            response.headers.append(name: "x-target", value: "\(request.method.rawValue) \(request.target)")
            return response
        } catch {
            return .problem(Problem(error))
        }
    }

    @Test(arguments: Security.allCases) func `a connection is kept for the next request`(
        _ security: Security
    ) async throws {
        try await ServerFixture.run(security, respond: Self.echo) { fixture in
            for number in 1...20 {
                let answer = try await fixture.client.send(
                    method: .post,
                    url: fixture.url("/echo?n=\(number)"),
                    body: Array("body \(number)".utf8)
                )
                #expect(answer.status == 200)
                #expect(answer.body == Array("body \(number)".utf8))
                #expect(answer.headers["x-target"] == "POST /echo?n=\(number)")
                #expect(fixture.server.connectionCount == 1)
            }
        }
    }

    @Test(arguments: Security.allCases) func `large bodies pass both ways`(_ security: Security) async throws {
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try await ServerFixture.run(security, respond: Self.echo) { fixture in
            let answer = try await fixture.client.send(method: .put, url: fixture.url("/"), body: body)
            #expect(answer.body == body)
        }
    }

    @Test(arguments: Security.allCases) func `chunked bodies pass both ways`(_ security: Security) async throws {
        try await ServerFixture.run(
            security,
            respond: { request in
                HTTPResponse(
                    status: 200,
                    body: .stream(length: nil) { writer in
                        while let piece = try await request.body.next() { try await writer.write(piece) }
                    }
                )
            }
        ) { fixture in
            var count = 0
            let answer = try await fixture.client.stream(
                method: .post,
                url: fixture.url("/"),
                body: .stream(length: nil) {
                    count += 1
                    return count <= 50 ? Array(repeating: UInt8(count), count: 1_000 * count) : nil
                }
            )
            #expect(answer.headers["transfer-encoding"] == "chunked")
            let whole = try await answer.collect(limit: 1 << 24)
            #expect(whole == (1...50).flatMap { Array(repeating: UInt8($0), count: 1_000 * $0) })
            let next = try await fixture.client.send(method: .get, url: fixture.url("/again"))
            #expect(next.status == 200)
            #expect(fixture.server.connectionCount == 1)
        }
    }

    @Test(arguments: Security.allCases) func `pipelined requests are answered in order`(
        _ security: Security
    ) async throws {
        try await ServerFixture.run(
            security,
            respond: { request in
                if request.path == "/slow" { await EventLoop.current?.sleep(.milliseconds(20)) }
                return .json(200, Array(request.path.utf8))
            }
        ) { fixture in
            let stream = try await fixture.connect()
            let paths = (0..<40).map { $0 == 7 ? "/slow" : "/p\($0)" }
            try await stream.write(
                paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
                    + "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            )
            let text = await stream.readToEnd()
            let bodies = text.split(separator: "\r\n\r\n").dropFirst().map { $0.prefix { $0 != "H" } }
            #expect(bodies.map(String.init) == paths + ["/end"])
        }
    }

    @Test(arguments: Security.allCases) func `a HEAD has the fields of a GET and no body`(
        _ security: Security
    ) async throws {
        try await ServerFixture.run(security, respond: { _ in .json(200, Array("12345".utf8)) }) { fixture in
            let answer = try await fixture.client.send(method: .head, url: fixture.url("/"))
            #expect(answer.headers["content-length"] == "5")
            #expect(answer.body.isEmpty)
            let next = try await fixture.client.send(method: .get, url: fixture.url("/"))
            #expect(next.body.count == 5)
        }
    }

    @Test(arguments: Security.allCases) func `item 55: security fields are on every response`(
        _ security: Security
    ) async throws {
        try await ServerFixture.run(security, respond: { _ in .noContent }) { fixture in
            let answer = try await fixture.client.send(method: .get, url: fixture.url("/"))
            #expect(answer.headers["x-content-type-options"] == "nosniff")
            #expect(answer.headers["cache-control"] == "no-store")
            #expect(answer.headers["x-request-id"]?.hasPrefix("req_") == true)
            #expect(answer.headers["date"]?.hasSuffix(" GMT") == true)
            #expect((answer.headers["strict-transport-security"] != nil) == (security == .tls))
            #expect(answer.headers["content-length"] == nil)
        }
    }
}
