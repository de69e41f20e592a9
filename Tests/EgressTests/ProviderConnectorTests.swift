import Core
import HTTP
import Platform
import Testing
import Transport

@testable import Egress

/// A connector beside a server that stands for an identity provider.
private final class ConnectorFixture {
    let connector: ProviderConnector
    let loop: EventLoop
    let port: UInt16
    private let provider: HTTPServer

    static func run(
        patience: Duration = .seconds(10),
        lookup: VettedNames.Lookup? = nil,
        respond: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
        _ body: @escaping @Sendable (ConnectorFixture) async throws -> Void
    ) async throws {
        let loop = try EventLoop.start(name: "test")
        defer { loop.stop() }
        try await loop.run {
            let provider = try BrokerFixture.serve(loop, respond)
            let fixture = ConnectorFixture(loop, provider, patience, lookup)
            do {
                try await body(fixture)
            } catch {
                await provider.drain(deadline: .zero)
                throw error
            }
            await provider.drain(deadline: .zero)
        }
    }

    private init(
        _ loop: EventLoop,
        _ provider: HTTPServer,
        _ patience: Duration,
        _ lookup: VettedNames.Lookup?
    ) {
        (self.loop, self.provider) = (loop, provider)
        port = provider.address.port
        connector = ProviderConnector(
            loop: loop,
            tls: nil,
            patience: patience,
            lookup: lookup ?? { try await NameResolver.resolve(host: $0, port: $1) }
        )
    }

    func request(_ path: String = "/keys", form: ClearSecret? = nil) -> ProviderRequest {
        ProviderRequest(
            url: "http://127.0.0.1:\(port)\(path)",
            isInternal: true,
            form: form,
            authorization: form.map { _ in ClearSecret("Basic c2VjcmV0") }
        )
    }
}

@Suite struct ProviderConnectorTests {
    @Test func `an answer comes back whole, with its age, and a form is posted with its proof`() async throws {
        let seen = Seen()
        try await ConnectorFixture.run(respond: { request in
            seen.note(request)
            var answer = HTTPResponse.json(201, Array("{}".utf8))
            answer.headers.append(name: "cache-control", value: "max-age=60")
            return answer
        }) { fixture in
            let answer = try await fixture.connector.send(fixture.request())
            #expect(answer.status == 201 && answer.body == Array("{}".utf8) && answer.cacheControl == "max-age=60")
            _ = try await fixture.connector.send(fixture.request("/token", form: ClearSecret("code=1")))
        }
        #expect(
            seen.all.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == ["GET /keys", "POST /token"]
        )
        #expect(seen.all.last?.contains("authorization=Basic c2VjcmV0") == true)
    }

    @Test(arguments: [
        ("https://login.example/x?p=1", false, true), ("http://login.example", false, false),
        ("http://login.example", true, false), ("http://localhost:8080", true, true),
        ("http://localhost:8080", false, false), ("http://127.0.0.1:8080", true, true),
        ("http://[::1]:80/", true, true),
        ("https://127.0.0.1", false, false), ("https://10.0.0.1", false, false), ("https://10.0.0.1", true, true),
        ("http://10.0.0.1", true, false), ("https://169.254.169.254/", false, false),
        ("ws://login.example", true, false),
        ("https://a:b@login.example", true, false), ("https://login.example/#x", true, false), ("", true, false),
    ])
    func `a URL is https to a public address, unless the provider is internal`(
        url: String,
        isInternal: Bool,
        isGood: Bool
    ) async throws {
        let loop = try EventLoop.start(name: "test")
        defer { loop.stop() }
        try await loop.run {
            let connector = ProviderConnector(loop: loop, tls: nil)
            #expect((connector.fault(of: url, isInternal: isInternal) == nil) == isGood)
            guard !isGood else { return }
            await #expect(throws: ProviderTransportError.self) {
                try await connector.send(ProviderRequest(url: url, isInternal: isInternal))
            }
        }
    }

    @Test func `a public name that leads to an inner address is not dialled`() async throws {
        let seen = Seen()
        try await ConnectorFixture.run(respond: { request in
            seen.note(request)
            return .json(200, [])
        }) { fixture in
            let port = fixture.port
            let connector = ProviderConnector(loop: fixture.loop, tls: try TLSClientContext(caFile: nil)) { _, _ in
                [.ipv4([93, 184, 216, 34], port: port), .ipv4([127, 0, 0, 1], port: port)]
            }
            let request = ProviderRequest(url: "https://login.example:\(port)/", isInternal: false)
            await #expect(
                throws: ProviderTransportError.forbidden("login.example has an address that is not public (loopback)")
            ) {
                try await connector.send(request)
            }
        }
        #expect(seen.all.isEmpty)
    }

    @Test func `a redirection is an answer, and is not followed`() async throws {
        let seen = Seen()
        try await ConnectorFixture.run(respond: { request in
            seen.note(request)
            var answer = HTTPResponse(status: 302)
            answer.headers.append(name: "location", value: "/elsewhere")
            return answer
        }) { fixture in
            let answer = try await fixture.connector.send(fixture.request())
            #expect(answer.status == 302)
        }
        #expect(seen.all.count == 1)
    }

    @Test func `an answer of more than a quarter of a megabyte is refused, and one that fits is not`() async throws {
        try await ConnectorFixture.run(respond: { request in
            let limit = ProviderConnector.longestAnswer
            return .json(200, [UInt8](repeating: 0x20, count: request.path == "/keys" ? limit : limit + 1))
        }) { fixture in
            let answer = try await fixture.connector.send(fixture.request())
            #expect(answer.body.count == ProviderConnector.longestAnswer)
            await #expect(throws: ProviderTransportError.tooLong) {
                try await fixture.connector.send(fixture.request("/long"))
            }
        }
    }

    @Test func `item 44: a provider that hangs or drips costs its time, and room that others do not need`() async throws
    {
        try await ConnectorFixture.run(
            patience: .milliseconds(200),
            respond: { request in
                guard request.path != "/quick" else { return .json(200, []) }
                return HTTPResponse(
                    status: 200,
                    body: .stream(length: 1_000) { writer in
                        let gone = LoopCondition()
                        writer.onDisconnect = { gone.signalAll() }
                        try await writer.write([0x20])
                        await gone.wait()
                    }
                )
            }
        ) { fixture in
            var (begun, ended) = (0, 0)
            let done = LoopCondition()
            for _ in 0..<ProviderConnector.concurrentPerHost {
                fixture.loop.spawnLocal {
                    begun += 1
                    #expect((try? await fixture.connector.send(fixture.request("/slow")).status) == nil)
                    ended += 1
                    done.signalAll()
                }
            }
            while begun < ProviderConnector.concurrentPerHost { await Task.yield() }
            await #expect(throws: ProviderTransportError.busy) { try await fixture.connector.send(fixture.request()) }
            while ended < ProviderConnector.concurrentPerHost { await done.wait() }
            // What was cut gives its room back at once.
            while true {
                do throws(ProviderTransportError) {
                    let answer = try await fixture.connector.send(fixture.request("/quick"))
                    #expect(answer.status == 200)
                    break
                } catch {
                    try #require(error == .busy)
                    await Task.yield()
                }
            }
        }
    }

    @Test func `item 44: a name that is never resolved is given up in time`() async throws {
        let loop = try EventLoop.start(name: "test")
        defer { loop.stop() }
        try await loop.run {
            let connector = ProviderConnector(loop: loop, tls: nil, patience: .milliseconds(50)) { _, _ in
                // Longer than the test lasts, and nobody waits for it.
                await loop.sleep(.seconds(60))
                return []
            }
            await #expect(throws: ProviderTransportError.self) {
                try await connector.send(ProviderRequest(url: "http://localhost:9/", isInternal: true))
            }
        }
    }
}
