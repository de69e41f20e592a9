import Auth
import Bytes
import Core
import Platform
import TestSupport
import Testing

@testable import API

/// What a loop knows of a provider that answers as the test wants.
struct ProviderDirectoryTests {
    private final class Fixture {
        let loop: EventLoop
        let time = ManualTime(APIWorld.start)
        let provider: ScriptedProvider
        let directory: ProviderDirectory
        let settings: OpenIDProvider
        /// How much later it is than the loop believes.
        private let lead = Lead()

        private final class Lead { var value = Duration.zero }

        init(_ loop: EventLoop) throws {
            self.loop = loop
            provider = try ScriptedProvider(clock: time)
            directory = ProviderDirectory(provider, loop: loop) { [loop, lead] in loop.now.advanced(by: lead.value) }
            settings = .sample(issuer: provider.issuer)
        }

        func wait(_ time: Duration) { lead.value += time }

        func verify(nonce: String = "n") async throws -> IDToken {
            provider.nonce = nonce
            let token = try provider.idToken()
            let expected = IDTokenExpectation(
                issuer: settings.issuer,
                clientID: settings.clientID,
                nonce: nonce,
                accessToken: nil
            )
            return try await directory.verify(token, expected, of: settings, now: time.now)
        }
    }

    private func run(_ body: @escaping @Sendable (Fixture) async throws -> Void) async throws {
        let loop = try EventLoop.start(name: "providers")
        defer { loop.stop() }
        try await loop.run { try await body(Fixture(loop)) }
    }

    @Test func `description and keys are asked for once, whoever else waits for them`() async throws {
        try await run { fixture in
            var subjects: [String] = []
            let done = LoopCondition()
            for _ in 0..<10 {
                fixture.loop.spawnLocal {
                    subjects.append((try? await fixture.verify().subject) ?? "refused")
                    done.signalAll()
                }
            }
            while subjects.count < 10 { await done.wait() }
            #expect(Set(subjects) == ["7"])
            #expect(fixture.provider.asked == ["/.well-known/openid-configuration", "/keys"])
        }
    }

    @Test func `item 43: keys are asked for again for a token by an unknown key, once a minute at most`() async throws {
        try await run { fixture in
            _ = try await fixture.verify()
            try fixture.provider.rotate()
            // They were asked for just now, so the new one is not known yet.
            await #expect(throws: TokenError.unknownKey) { try await fixture.verify() }
            #expect(fixture.provider.asked.count == 2)
            fixture.wait(ProviderDirectory.refreshInterval)
            #expect(try await fixture.verify().subject == "7")
            #expect(fixture.provider.asked.filter { $0 == "/keys" }.count == 2)
            fixture.wait(ProviderDirectory.refreshInterval)
            fixture.provider.header = ["kid": .string("nobody's")]
            for _ in 0..<100 {
                await #expect(throws: TokenError.unknownKey) { try await fixture.verify() }
            }
            #expect(fixture.provider.asked.filter { $0 == "/keys" }.count == 3)
        }
    }

    @Test func `a key that is published no more is believed no longer than its set, also while the provider is away`()
        async throws
    {
        try await run { fixture in
            fixture.provider.cacheControl = "max-age=600"
            _ = try await fixture.verify()
            let old = try fixture.provider.idToken()
            try fixture.provider.rotate()
            fixture.wait(.seconds(599))
            let expected = IDTokenExpectation(
                issuer: fixture.settings.issuer,
                clientID: fixture.settings.clientID,
                nonce: "n",
                accessToken: nil
            )
            let verify = {
                try await fixture.directory.verify(old, expected, of: fixture.settings, now: fixture.time.now)
            }
            #expect(try await verify().subject == "7")
            fixture.wait(.seconds(1))
            fixture.provider.failure = .unreachable("away")
            await #expect(throws: ProviderFailure.self) { try await verify() }
            fixture.provider.failure = nil
            await #expect(throws: TokenError.unknownKey) { try await verify() }
        }
    }

    @Test(arguments: [
        (ProviderTransportError.unreachable("x"), true), (.busy, true), (.forbidden("x"), false), (.tooLong, false),
    ])
    func `item 44: a provider that cannot be asked proves nobody`(
        error: ProviderTransportError,
        passes: Bool
    ) async throws {
        try await run { fixture in
            fixture.provider.failure = error
            do {
                _ = try await fixture.verify()
                Issue.record("somebody was believed")
            } catch let failure as ProviderFailure {
                if case .unavailable = failure { #expect(passes) } else { #expect(!passes) }
            }
            // Nothing of the failure stays.
            fixture.provider.failure = nil
            #expect(try await fixture.verify().subject == "7")
        }
    }

    @Test(arguments: [
        ("/.well-known/openid-configuration", 500, true), ("/.well-known/openid-configuration", 404, false),
        ("/keys", 503, true), ("/keys", 429, true), ("/keys", 302, false), ("/keys", 401, false),
    ])
    func `item 44: an answer that is no success proves nobody`(path: String, status: Int, passes: Bool) async throws {
        try await run { fixture in
            fixture.provider.statuses[path] = status
            do {
                _ = try await fixture.verify()
                Issue.record("somebody was believed")
            } catch let failure as ProviderFailure {
                if case .unavailable = failure { #expect(passes) } else { #expect(!passes) }
            }
        }
    }

    @Test(arguments: [
        ("issuer", "https://evil.example"), ("token_endpoint", "http://login.example/token"),
        ("jwks_uri", "http://169.254.169.254/"), ("authorization_endpoint", "http://login.example/authorize"),
    ])
    func `item 43: a description of another issuer, or that leads elsewhere, is refused`(
        member: String,
        url: String
    ) async throws {
        try await run { fixture in
            fixture.provider.description[member] = .string(url)
            await #expect(throws: ProviderFailure.self) { try await fixture.verify() }
            #expect(fixture.provider.asked == ["/.well-known/openid-configuration"])
            fixture.provider.description = [:]
            let token = try await fixture.verify()
            #expect(token.subject == "7")
        }
    }

    @Test(arguments: [
        ("", ProviderDirectory.standardAge), ("max-age=600", .seconds(600)), ("public, Max-Age=7200", .seconds(7_200)),
        ("max-age=1", .seconds(300)), ("max-age=0", .seconds(300)), ("max-age=99999999", .seconds(86_400)),
        ("no-store", .seconds(300)), ("no-cache, max-age=7200", .seconds(300)),
        ("max-age=-1", ProviderDirectory.standardAge),
        ("max-age=soon", ProviderDirectory.standardAge),
        ("max-age=99999999999999999999", ProviderDirectory.standardAge),
    ])
    func `an answer is believed as long as it says, within our own bounds`(field: String, age: Duration) {
        #expect(ProviderDirectory.age(field) == age)
    }

    @Test func `the check of a provider names what is wrong, and nothing when nothing is`() async throws {
        try await run { fixture in
            let check = { await ProviderCheck.fault(of: fixture.settings, by: fixture.provider, on: fixture.loop) }
            #expect(await check() == nil)
            fixture.provider.description["issuer"] = .string("https://other.example")
            #expect(await check()?.contains("another issuer") == true)
        }
    }
}

extension OpenIDProvider {
    static func sample(
        issuer: String,
        domains: [String] = [],
        makesAccounts: Bool = false,
        joins: ProviderTeam? = nil
    ) -> OpenIDProvider {
        OpenIDProvider(
            id: ProviderID(at: APIWorld.start),
            name: "acme",
            label: "Acme",
            issuer: issuer,
            clientID: "client",
            domains: domains,
            makesAccounts: makesAccounts,
            joins: joins,
            isInternal: false,
            vouchesForAddresses: false,
            createdAt: APIWorld.start
        )
    }
}
