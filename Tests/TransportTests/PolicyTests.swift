import HTTP
import Platform
import Testing
import Transport

@Suite struct `Origins, proxies and certificates` {
    static let mirror: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
        .json(200, Array("\(request.remoteAddress) \(request.isSecure)".utf8))
    }

    @Test func `only the listed origin may call`() async throws {
        let cors = CORSPolicy(origins: ["https://app.example"])
        try await ServerFixture.run(.plain, cors: cors, respond: Self.mirror) { fixture in
            let preflight = [("access-control-request-method", "POST")]
            for (origin, allowed) in [
                ("https://app.example", "https://app.example"), ("https://evil.example", nil), ("null", nil),
                ("https://app.example.evil", nil),
            ] {
                let answer = try await fixture.client.send(
                    method: .options,
                    url: fixture.url("/"),
                    headers: HTTPHeaders(preflight + [("origin", origin)])
                )
                #expect(answer.status == 204)
                #expect(answer.headers["access-control-allow-origin"] == allowed)
                let plain = try await fixture.client.send(
                    method: .get,
                    url: fixture.url("/"),
                    headers: HTTPHeaders([("origin", origin)])
                )
                #expect(plain.status == 200)
                #expect(plain.headers["access-control-allow-origin"] == allowed)
                #expect(plain.headers["vary"] == "origin")
            }
        }
    }

    @Test(arguments: [("https://evil.example", false), ("https://app.example", true)])
    func `a foreign page opens no WebSocket`(_ origin: String, _ opens: Bool) async throws {
        let cors = CORSPolicy(origins: ["https://app.example"])
        try await ServerFixture.run(.plain, cors: cors, respond: `WebSockets over sockets`.echo) { fixture in
            do {
                let (channel, _) = try await fixture.client.webSocket(
                    url: fixture.url("/", webSocket: true),
                    headers: HTTPHeaders([("origin", origin)])
                )
                await channel.close(code: 1000, reason: "")
                #expect(opens)
            } catch HTTPClientError.refusedUpgrade(let status, _, let body) {
                #expect(!opens)
                #expect(status == 403)
                #expect(String(decoding: body, as: UTF8.self).contains("origin_forbidden"))
            }
        }
    }

    @Test(arguments: [
        (["127.0.0.0/8"], "198.51.100.7", "198.51.100.7 true"),
        (["127.0.0.0/8"], "203.0.113.1, 198.51.100.7", "198.51.100.7 true"),
        (["127.0.0.1", "198.51.100.0/24"], "203.0.113.1, 198.51.100.7", "203.0.113.1 true"),
        (["10.0.0.0/8"], "198.51.100.7", "127.0.0.1 false"),
        (["127.0.0.0/8"], "nonsense", "127.0.0.1 true"),
    ])
    func `a forwarded address counts only from a trusted proxy`(
        _ trusted: [String],
        _ forwarded: String,
        _ expected: String
    ) async throws {
        let proxies = try #require(TrustedProxies(trusted))
        try await ServerFixture.run(.plain, proxies: proxies, respond: Self.mirror) { fixture in
            let answer = try await fixture.client.send(
                method: .get,
                url: fixture.url("/"),
                headers: HTTPHeaders([("x-forwarded-for", forwarded), ("x-forwarded-proto", "https")])
            )
            #expect(String(decoding: answer.body, as: UTF8.self) == expected)
        }
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0/8", "a", "::/129", "10.0.0.0/8/8", "10.0.0.0/-1", ""])
    func `a malformed network is refused`(_ text: String) {
        #expect(TrustedProxies([text]) == nil)
    }

    @Test func `a server of another name is refused`() async throws {
        let other = try TestCertificate.other.get()
        try await ServerFixture.run(.tls, respond: Self.mirror) { fixture in
            let stranger = HTTPClient(loop: fixture.loop, tls: try other.clientContext())
            await #expect(throws: HTTPClientError.self) {
                _ = try await stranger.send(method: .get, url: fixture.url("/"))
            }
            let misnamed = HTTPClient(
                loop: fixture.loop,
                tls: try TestCertificate.shared.get().clientContext(),
                resolve: { _, port in [.ipv4([127, 0, 0, 1], port: port)] }
            )
            let wrong = try #require(ClientURL("https://wrong.example:\(fixture.server.address.port)/"))
            await #expect(throws: HTTPClientError.self) { _ = try await misnamed.send(method: .get, url: wrong) }
            let right = try #require(ClientURL("https://localhost:\(fixture.server.address.port)/"))
            let answer = try await misnamed.send(method: .get, url: right)
            #expect(answer.status == 200)
        }
    }

    @Test func `reloading keeps serving, and a broken file changes nothing`() async throws {
        let certificate = try TestCertificate.other.get()
        let context = try certificate.serverContext()
        try context.reload()
        #expect(throws: TLSError.self) {
            try TLSServerContext(certificateChainFile: certificate.keyFile, privateKeyFile: certificate.keyFile)
        }
        #expect(throws: TLSError.self) {
            try TLSServerContext(
                certificateChainFile: certificate.chainFile,
                privateKeyFile: TestCertificate.shared.get().keyFile
            )
        }
    }
}
