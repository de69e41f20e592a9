import Core
import HTTP
import Platform
import Testing
import Transport

@testable import Egress

/// An inspector beside a server that stands for a provider.
final class InspectorFixture {
    static let key = ClearSecret("canary-key-0123456789")

    let inspector: ModelKeyInspector
    let endpoint: ModelEndpoint
    let loop: EventLoop
    private let provider: HTTPServer

    static func run(
        reach: ModelReach = .anywhere,
        patience: Duration = .seconds(10),
        lookup: VettedNames.Lookup? = nil,
        respond: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
        _ body: @escaping @Sendable (InspectorFixture) async throws -> Void
    ) async throws {
        let loop = try EventLoop.start(name: "test")
        defer { loop.stop() }
        try await loop.run {
            let fixture = try InspectorFixture(loop, reach, patience, lookup, respond)
            do {
                try await body(fixture)
            } catch {
                await fixture.provider.drain(deadline: .zero)
                throw error
            }
            await fixture.provider.drain(deadline: .zero)
        }
    }

    private init(
        _ loop: EventLoop,
        _ reach: ModelReach,
        _ patience: Duration,
        _ lookup: VettedNames.Lookup?,
        _ respond: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) throws {
        self.loop = loop
        provider = try BrokerFixture.serve(loop, respond)
        let port = provider.address.port
        endpoint = ModelEndpoint(provider: .compatible, baseURL: "http://127.0.0.1:\(port)/gw", reach: reach)
        inspector = ModelKeyInspector(
            loop: loop,
            tls: nil,
            hosts: ModelHosts([]),
            patience: patience,
            lookup: lookup ?? { try await NameResolver.resolve(host: $0, port: $1) }
        )
    }

    func verdict() async -> ModelKeyVerdict { await inspector.verify(endpoint, key: Self.key) }
}

@Suite struct ModelKeyInspectorTests {
    @Test(arguments: [
        (200, ModelKeyVerdict.accepted), (429, .accepted), (401, .refused(status: 401)), (403, .refused(status: 403)),
        (500, .unreachable("the provider answers 500")), (529, .unreachable("the provider answers 529")),
        (302, .unclear("the provider answers 302")), (400, .unclear("the provider answers 400")),
    ])
    func `the provider's status is the verdict`(status: Int, verdict: ModelKeyVerdict) async throws {
        let seen = Seen()
        try await InspectorFixture.run(respond: { request in
            seen.note(request)
            return .json(status, [])
        }) { fixture in
            #expect(await fixture.verdict() == verdict)
        }
        let fields = "x-api-key=canary-key-0123456789 authorization=Bearer canary-key-0123456789"
        #expect(seen.all.count == 1)
        #expect(seen.all.first?.hasPrefix("GET /gw/v1/models?limit=1 ") == true)
        #expect(seen.all.first?.contains(fields) == true)
    }

    @Test(arguments: [
        (404, 200, ModelKeyVerdict.accepted), (405, 200, .accepted), (404, 401, .refused(status: 401)),
        (404, 404, .unclear("the provider answers 404")),
    ])
    func `a gateway without a list of models is asked to count`(
        first: Int,
        second: Int,
        verdict: ModelKeyVerdict
    ) async throws {
        let seen = Seen()
        try await InspectorFixture.run(respond: { request in
            seen.note(request)
            return .json(request.method == .get ? first : second, [])
        }) { fixture in
            #expect(await fixture.verdict() == verdict)
        }
        #expect(seen.all.count == 2 && seen.all.last?.hasPrefix("POST /gw/v1/messages/count_tokens ") == true)
    }

    @Test func `a private address is refused before anything is dialled, and so is a name that has one`() async throws {
        let seen = Seen()
        let answer: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
            seen.note(request)
            return .json(200, [])
        }
        let inner = SocketAddress.ipv4([127, 0, 0, 1], port: 1)
        try await InspectorFixture.run(respond: answer) { fixture in
            let tls = try TLSClientContext(caFile: nil)
            for (host, kind) in [("127.0.0.1", "loopback"), ("inner.example", "loopback")] {
                let inspector = ModelKeyInspector(
                    loop: fixture.loop,
                    tls: tls,
                    hosts: ModelHosts([]),
                    lookup: { _, _ in [inner] }
                )
                let port = try ModelHosts.parse(fixture.endpoint.baseURL).port
                let endpoint = ModelEndpoint(
                    provider: .compatible,
                    baseURL: "https://\(host):\(port)",
                    reach: .publicOnly
                )
                let verdict = await inspector.verify(endpoint, key: InspectorFixture.key)
                #expect(verdict == .forbidden("\(host) has an address that is not public (\(kind))"))
            }
            #expect(seen.all.isEmpty)
            #expect(await fixture.verdict() == .accepted)
            #expect(seen.all.count == 1)
        }
    }

    @Test func `a provider that says nothing is given up in time`() async throws {
        try await InspectorFixture.run(
            patience: .milliseconds(200),
            respond: { _ in
                await EventLoop.current?.sleep(.seconds(2))
                return .json(200, [])
            }
        ) { fixture in
            let verdict = await fixture.verdict()
            #expect(verdict.isUnreachable, "\(verdict)")
        }
    }

    @Test func `nobody there is told as such, without the key`() async throws {
        try await InspectorFixture.run(respond: { _ in .noContent }) { fixture in
            let nobody = ModelEndpoint(provider: .anthropic, baseURL: "http://127.0.0.1:1", reach: .anywhere)
            let verdict = await fixture.inspector.verify(nobody, key: InspectorFixture.key)
            #expect(verdict.isUnreachable && !"\(verdict)".contains("canary"), "\(verdict)")
        }
    }
}

extension ModelKeyVerdict {
    fileprivate var isUnreachable: Bool { if case .unreachable = self { true } else { false } }
}
